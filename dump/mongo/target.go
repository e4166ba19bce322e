package mongo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// prepare looks for what stands in the way, and drops it if it may.
func (s *loading) prepare(ctx context.Context) error {
	mine := map[string][]string{} // names by database
	for _, t := range s.plan {
		mine[t.db] = append(mine[t.db], t.name)
	}
	var drop []*target
	var stay []string
	for _, db := range sortedKeys(mine) {
		names, err := s.collectionNames(ctx, db)
		if err != nil {
			return fmt.Errorf("list the collections of %s: %w", shown(db), err)
		}
		for _, name := range names {
			i := slices.IndexFunc(s.plan, func(t *target) bool { return t.db == db && t.name == name })
			switch {
			case i >= 0 && s.cfg.Clean:
				drop = append(drop, s.plan[i])
			case i >= 0 || !s.cfg.Clean && !s.selects() && db != "admin":
				return fmt.Errorf("%w: there is %s", ErrNotEmpty, shown(db+"."+name))
			case i < 0 && s.cfg.Clean && !s.selects():
				stay = append(stay, db+"."+name)
			}
		}
	}
	for _, t := range drop {
		s.touched = true
		if err := s.conn.run(ctx, t.db, bson.D{{Key: "drop", Value: t.name}}, &bson.Raw{}); err != nil {
			return fmt.Errorf("drop %s: %w", shown(t.namespace()), err)
		}
	}
	if len(stay) > 0 {
		s.cfg.Warn(fmt.Sprintf("%d collections of the target are not in the dump and stay, the first of them: %s", len(stay), shown(stay[0])))
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// collectionNames returns what is in a database, but for what the server makes
// there itself.
func (s *loading) collectionNames(ctx context.Context, db string) ([]string, error) {
	var names []string
	command := bson.D{{Key: "listCollections", Value: 1}, {Key: "nameOnly", Value: true}, {Key: "cursor", Value: bson.D{}}}
	err := s.conn.each(ctx, db, command, func(doc bson.Raw) error {
		name, _ := doc.Lookup("name").StringValueOK()
		if !strings.HasPrefix(name, "system.") || name == "system.js" {
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// create makes the collections. Views come last of all: they read from them.
func (s *loading) create(ctx context.Context) error {
	for _, t := range s.plan {
		if t.kind == targetView {
			continue
		}
		if err := s.createCollection(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// countDocuments asks the server how many documents it holds now.
func (s *loading) countDocuments(ctx context.Context, t *target) error {
	if t.kind != targetCollection || truth(t.metadata.Options, "capped") || has(t.metadata.Options, "expireAfterSeconds") || s.conn.server.mongos {
		return nil // not all that went in is there, or not once
	}
	var answer struct {
		N int64 `bson:"n"`
	}
	all := bson.D{}
	if !s.conn.server.mongod { // FerretDB counts all only as its planner's statistics have it
		all = bson.D{{Key: "_id", Value: bson.D{{Key: "$exists", Value: true}}}}
	}
	err := s.conn.run(ctx, t.db, bson.D{{Key: "count", Value: t.name}, {Key: "query", Value: all}}, &answer)
	if hasCode(err, codeUnauthorized) { // the role restore may write and not look
		return nil
	}
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	if answer.N != t.inserted {
		return fmt.Errorf("it holds %d documents after %d were inserted", answer.N, t.inserted)
	}
	return nil
}
