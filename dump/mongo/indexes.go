package mongo

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// createIndexes makes a collection's indexes, but for that of _id, which comes
// with the collection. Those that the server refuses are noted.
func (s *loading) createIndexes(ctx context.Context, t *target) error {
	collated := hasCollation(t.metadata.Options)
	var names []string
	var indexes []bson.D
	for _, index := range t.metadata.Indexes {
		if isIDIndex(index) {
			continue
		}
		definition, err := indexDefinition(index, collated)
		if err != nil {
			return fmt.Errorf("%s: create index %s: %w", shown.Name(t.namespace()), shown.Name(indexName(index)), err)
		}
		names, indexes = append(names, indexName(index)), append(indexes, definition)
		if unknown := unknownIndexOptions(index); len(unknown) > 0 {
			s.cfg.Warn(fmt.Sprintf("index %s of %s has options that this program does not know, and is without those that the server does not: %s", shown.Name(indexName(index)), shown.Name(t.namespace()), shown.Names(unknown)))
		}
	}
	err := s.makeIndexes(ctx, t, names, indexes) // together, as the documents are read once for all of them
	if len(indexes) < 2 || !isRefusal(ctx, err) {
		return s.orRefused(ctx, indexRefused, err)
	}
	for i := range indexes { // it has made none, and does not always say of which index its error is
		err := s.makeIndexes(ctx, t, names[i:i+1], indexes[i:i+1])
		if err := s.orRefused(ctx, indexRefused, err); err != nil {
			return err
		}
	}
	return nil
}

// makeIndexes makes all of these indexes, or none.
func (s *loading) makeIndexes(ctx context.Context, t *target, names []string, indexes []bson.D) error {
	if len(indexes) == 0 {
		return nil
	}
	command := bson.D{{Key: "createIndexes", Value: t.name}, {Key: "indexes", Value: indexes}}
	if s.conn.server.mongod { // as older servers took into an index's options whatever there was: see options.go
		command = append(command, bson.E{Key: "ignoreUnknownIndexOptions", Value: true})
	}
	if err := s.run(ctx, t.db, command, &bson.Raw{}); err != nil {
		return fmt.Errorf("%s: create index %s: %w", shown.Name(t.namespace()), shown.Names(names), err)
	}
	return nil
}

// indexDefinition is what makes an index that a server has listed so.
//
// The simple collation is not listed before 9.0, but an index without a collation
// takes on that of its collection. Since 9.0 it is listed, even where an index is
// of version 1, for which no server allows one.
func indexDefinition(index bson.Raw, collated bool) (bson.D, error) {
	elements, err := index.Elements()
	if err != nil {
		return nil, err
	}
	version, _ := index.Lookup("v").AsInt64OK()
	var d bson.D
	for _, e := range elements {
		switch {
		case slices.Contains(ownIndexOptions, e.Key()):
		case e.Key() == "v" && version == 2: // what a server makes of its own accord, but not all know the word
		case e.Key() == "collation" && version == 1:
		default:
			d = append(d, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	if collated && version != 1 && !has(index, "collation") {
		d = append(d, bson.E{Key: "collation", Value: bson.D{{Key: "locale", Value: "simple"}}})
	}
	return d, nil
}

// hasCollation tells whether a collection has a collation that its indexes take on.
func hasCollation(options bson.Raw) bool {
	locale, ok := options.Lookup("collation", "locale").StringValueOK()
	return ok && locale != "simple"
}

// isIDIndex tells whether an index is that of _id, which there is one of.
func isIDIndex(index bson.Raw) bool {
	key, ok := index.Lookup("key").DocumentOK()
	return ok && isIDKey(key)
}

func isIDKey(key bson.Raw) bool {
	fields, err := key.Elements()
	if err != nil || len(fields) != 1 || fields[0].Key() != "_id" {
		return false
	}
	_, isText := fields[0].Value().StringValueOK() // a hashed one may be there as well
	return !isText
}
