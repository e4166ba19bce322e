package mongo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/dump/mongo/archive"
)

// A collection is a collection or view to dump.
type collection struct {
	archive.Collection
	options bson.Raw
	uuid    string // of its present incarnation, in hexadecimal; empty where the server has none
	indexes []bson.Raw

	fromDB, from string               // where the documents are, if elsewhere
	filter       bson.D               // selects some of the documents; nil means all
	inspect      func(bson.Raw) error // sees each document before it is written; may be nil
}

// source is the collection that the documents are read from.
func (c *collection) source(server serverInfo) (db, name string) {
	if c.from != "" {
		return c.fromDB, c.from
	}
	return c.DB, server.version.DataName(&c.Collection)
}

func (c *collection) isView() bool   { return c.Type == "view" }
func (c *collection) isCapped() bool { return truth(c.options, "capped") }

// truth tells whether a field is true, as MongoDB takes numbers for that.
func truth(doc bson.Raw, key string) bool {
	v, err := doc.LookupErr(key)
	if err != nil {
		return false
	}
	if b, ok := v.BooleanOK(); ok {
		return b
	}
	n, ok := v.AsInt64OK()
	return ok && n != 0
}

// list returns what is to be dumped, without the indexes, in its order: users
// and roles, then the databases by name, in each the collections by name and
// then the views, each after those it reads from.
func (s *Source) list(ctx context.Context, c *conn) ([]*collection, error) {
	names := []string{s.cfg.Database}
	if s.cfg.Database == "" {
		var err error
		if names, err = databases(ctx, c); err != nil {
			return nil, err
		}
		if c.server.proxy {
			names = slices.DeleteFunc(names, func(name string) bool { return name == "admin" })
			s.cfg.Debug("users and roles are not dumped: Atlas keeps them itself")
		}
	}
	var all []*collection
	for _, db := range names {
		found, err := s.listDatabase(ctx, c, db)
		if err != nil {
			return nil, fmt.Errorf("list the collections of %s: %w", db, err)
		}
		all = append(all, found...)
	}
	return authFirst(all), nil
}

// databases returns the names of all databases but those that are each server's own.
func databases(ctx context.Context, c *conn) ([]string, error) {
	var answer struct {
		Databases []struct {
			Name string `bson:"name"`
		} `bson:"databases"`
	}
	if err := c.run(ctx, "admin", bson.D{{Key: "listDatabases", Value: 1}, {Key: "nameOnly", Value: true}}, &answer); err != nil {
		return nil, fmt.Errorf("list the databases: %w", err)
	}
	var names []string
	for _, db := range answer.Databases {
		if db.Name != "local" && !strings.HasPrefix(db.Name, internalPrefix) {
			names = append(names, db.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (s *Source) listDatabase(ctx context.Context, c *conn, db string) ([]*collection, error) {
	var plain, views []*collection
	err := c.each(ctx, db, bson.D{{Key: "listCollections", Value: 1}, {Key: "cursor", Value: bson.D{}}}, func(doc bson.Raw) error {
		name, ok := doc.Lookup("name").StringValueOK()
		if !ok {
			return fmt.Errorf("the server lists one without a name")
		}
		switch {
		case !s.dumps(db, name):
			return nil
		case isAuth(db, name):
			if !s.wantsUsers() {
				return nil
			}
		case !s.filter.wants(db + "." + name):
			return nil
		}
		found := &collection{Collection: archive.Collection{DB: db, Name: name, Type: "collection"}, options: bson.Raw(emptyDocument)}
		if kind, ok := doc.Lookup("type").StringValueOK(); ok {
			found.Type = kind
		}
		if options, ok := doc.Lookup("options").DocumentOK(); ok {
			found.options = slices.Clone(options)
		}
		if truth(found.options, "temp") { // of an aggregation under way, which drops or renames it
			s.cfg.Debug("left out, as it is temporary: " + found.Namespace())
			return nil
		}
		if _, uuid, ok := doc.Lookup("info", "uuid").BinaryOK(); ok {
			found.uuid = fmt.Sprintf("%x", uuid)
		}
		if found.isView() {
			views = append(views, found)
		} else {
			plain = append(plain, found)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	byName := func(a, b *collection) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(plain, byName)
	slices.SortFunc(views, byName)
	return append(plain, viewsInOrder(views)...), nil
}

var emptyDocument = []byte{5, 0, 0, 0, 0}

// readIndexes fills in the indexes, with several commands under way at once.
func readIndexes(ctx context.Context, c *conn, all []*collection, jobs int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(jobs)
	for _, coll := range all {
		if coll.isView() || coll.Type == "" {
			continue
		}
		group.Go(func() error {
			command := bson.D{{Key: "listIndexes", Value: coll.Name}, {Key: "cursor", Value: bson.D{}}}
			err := c.each(ctx, coll.DB, command, func(index bson.Raw) error {
				coll.indexes = append(coll.indexes, slices.Clone(index))
				return nil
			})
			if err != nil {
				return fmt.Errorf("list the indexes of %s: %w", coll.Namespace(), err)
			}
			// The server lists them as they were made, each member for itself.
			slices.SortFunc(coll.indexes, func(a, b bson.Raw) int { return strings.Compare(indexName(a), indexName(b)) })
			return nil
		})
	}
	return group.Wait()
}

func indexName(index bson.Raw) string {
	name, _ := index.Lookup("name").StringValueOK()
	return name
}

// unchanged tells of collections that were dropped or renamed since before was
// listed: what was read under their names is then not what was meant.
func unchanged(before, after []*collection) error {
	now := make(map[string]*collection, len(after))
	for _, c := range after {
		now[c.Namespace()] = c
	}
	for _, c := range before {
		switch same := now[c.Namespace()]; {
		case same == nil:
			return fmt.Errorf("%s was dropped or renamed during the dump", c.Namespace())
		case same.uuid != c.uuid || same.Type != c.Type:
			return fmt.Errorf("%s was dropped and made anew during the dump", c.Namespace())
		}
	}
	return nil
}
