package mongo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// A collection is a collection or view to dump.
type collection struct {
	archive.Collection
	options   bson.Raw
	uuid      string // of its present incarnation, in hexadecimal; empty where the server has none
	indexes   []bson.Raw
	sharding  bson.Raw // key and unique, of one that is sharded
	search    []string // names of its search indexes, which are not in the dump
	before    int64    // the documents that the server says it has, before they are read; negative: it does not say
	estimated bool     // before is known

	fromDB, from string               // where the documents are, if elsewhere
	filter       bson.D               // selects some of the documents; nil means all
	inspect      func(bson.Raw) error // sees each document before it is written; may be nil
}

// source is the collection that the documents are read from.
func (c *collection) source(v version.Number) (db, name string) {
	if c.from != "" {
		return c.fromDB, c.from
	}
	return c.DB, v.DataName(c.Type, c.Name)
}

func (c *collection) isView() bool   { return c.Type == "view" }
func (c *collection) isCapped() bool { return document.True(c.options, "capped") }

// list returns what is to be dumped, without the indexes, in its order: users
// and roles, then the databases by name, in each the collections by name and
// then the views, each after those it reads from.
func (q *inquiry) list(ctx context.Context) ([]*collection, error) {
	names := []string{q.cfg.Database}
	if q.cfg.Database == "" {
		var err error
		if names, err = databases(ctx, q); err != nil {
			return nil, err
		}
		if q.conn.Info.Proxy {
			names = slices.DeleteFunc(names, func(name string) bool { return name == "admin" })
			q.debug("users and roles are not dumped: Atlas keeps them itself")
		}
	}
	var all []*collection
	var listed server.Listing
	for _, db := range names {
		found, err := q.listDatabase(ctx, db)
		for _, c := range found {
			err = cmp.Or(err, listed.Add(c.options))
		}
		if err != nil {
			return nil, fmt.Errorf("list the collections of %s: %w", shown.Name(db), err)
		}
		all = append(all, found...)
	}
	return authFirst(all), nil
}

func (q *inquiry) listDatabase(ctx context.Context, db string) ([]*collection, error) {
	entries, err := q.entries(ctx, db)
	if err != nil {
		return nil, err
	}
	var plain, views []*collection
	for _, e := range entries {
		full := db + "." + e.name
		switch {
		case !namespace.IsDumped(q.cfg.Database, db, e.name):
			q.warnOfLeftOut(db, e.name)
			continue
		case namespace.IsAuth(db, e.name):
			if !q.wantsUsers() {
				continue
			}
		case q.filtered(full):
			continue
		}
		if document.True(e.options, "temp") { // of an aggregation under way, which drops or renames it
			if strings.HasPrefix(e.name, "tmp.") {
				q.debug("left out, as it is temporary: " + shown.Name(full))
			} else {
				q.warn("left out, as the server says that it is temporary: " + shown.Name(full))
			}
			continue
		}
		q.warnOfKind(db, e)
		found := &collection{Collection: archive.Collection{DB: db, Name: e.name, Type: e.kind}, options: e.options, uuid: e.uuid, before: -1}
		if found.isView() {
			views = append(views, found)
		} else {
			plain = append(plain, found)
		}
	}
	byName := func(a, b *collection) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(plain, byName)
	slices.SortFunc(views, byName)
	return append(plain, viewsInOrder(views)...), nil
}

// readIndexes fills in the indexes, with several commands under way at once.
func readIndexes(ctx context.Context, c *server.Conn, all []*collection, jobs int, search *searchProbe) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(jobs)
	var listed server.Listing
	for _, coll := range all {
		if coll.Type == "" {
			continue
		}
		group.Go(func() error {
			if coll.search = search.find(ctx, c, coll); coll.isView() {
				return nil
			}
			command := bson.D{{Key: "listIndexes", Value: coll.Name}, {Key: "cursor", Value: bson.D{}}}
			seen := map[string]bool{}
			err := c.Each(ctx, coll.DB, command, func(index bson.Raw) error {
				name := definition.IndexName(index)
				_, hasKey := index.Lookup("key").DocumentOK()
				switch {
				case name == "" || !hasKey || index.Validate() != nil || document.Deeper(index, document.MostDepth):
					return errors.New("the server lists one without a name or a key")
				case seen[name]:
					return fmt.Errorf("the server lists %s twice", shown.Name(name))
				}
				seen[name] = true
				coll.indexes = append(coll.indexes, slices.Clone(index))
				return listed.Add(index)
			})
			if err == nil && len(coll.indexes) == 0 && c.Info.Mongod && coll.hasIDIndex() {
				err = errors.New("the server lists none, not even that of _id")
			}
			if err != nil {
				return fmt.Errorf("list the indexes of %s: %w", shown.Name(coll.Namespace()), err)
			}
			if !coll.estimated {
				coll.before = estimate(ctx, c, coll)
			}
			// The server lists them as they were made, each member for itself.
			slices.SortFunc(coll.indexes, func(a, b bson.Raw) int { return strings.Compare(definition.IndexName(a), definition.IndexName(b)) })
			return nil
		})
	}
	return group.Wait()
}

// hasIDIndex tells whether there must be an index of _id. A time series has none,
// and before 4.0 whoever made a collection could do without.
func (c *collection) hasIDIndex() bool {
	return c.Type == "collection" && !document.Has(c.options, "autoIndexId") && c.DB != "local"
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
			return fmt.Errorf("%s was dropped or renamed during the dump", shown.Name(c.Namespace()))
		case same.uuid != c.uuid || same.Type != c.Type:
			return fmt.Errorf("%s was dropped and made anew during the dump", shown.Name(c.Namespace()))
		}
	}
	return nil
}
