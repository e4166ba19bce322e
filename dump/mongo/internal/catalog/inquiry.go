// Package catalog finds out what a server has and how it is to be written into an archive: which
// databases and collections are dumped, in which order, with which options and indexes, and what of
// all that is left out. What a dump cannot vouch for it tells. Documents it does not read: see
// rows.
package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// A Choice is what of a server's is to be dumped.
type Choice struct {
	Database   string           // empty: all of them, but local
	Filter     namespace.Filter // of namespaces
	Users      Users
	AllowEmpty bool // there may be nothing
}

// An Inquiry asks a server what is to be dumped. It may ask several times, and says each thing
// once.
type Inquiry struct {
	Conn *server.Conn
	Choice
	Warnings, Choices func(string) // nil: nobody is told

	told map[string]bool
}

// Warn tells what a dump leaves out or cannot vouch for.
func (q *Inquiry) Warn(text string) { q.tell(q.Warnings, text) }

// Debug tells of a choice made on the way.
func (q *Inquiry) Debug(text string) { q.tell(q.Choices, text) }

func (q *Inquiry) tell(to func(string), text string) {
	if to == nil || q.told[text] {
		return
	}
	if q.told == nil {
		q.told = map[string]bool{}
	}
	q.told[text] = true
	to(text)
}

// Whole tells whether all is dumped that a server holds.
func (c Choice) Whole() bool { return c.Database == "" && c.Filter.All() }

// List returns what is to be dumped, without the indexes, in its order: users and roles, then the
// databases by name, in each the collections by name and then the views, each after those it reads
// from.
func (q *Inquiry) List(ctx context.Context) ([]*Collection, error) {
	names := []string{q.Database}
	if q.Database == "" {
		var err error
		if names, err = databases(ctx, q); err != nil {
			return nil, err
		}
		if q.Conn.Info.Proxy {
			names = slices.DeleteFunc(names, func(name string) bool { return name == "admin" })
			q.Debug("users and roles are not dumped: Atlas keeps them itself")
		}
	}
	var all []*Collection
	var listed server.Listing
	for _, db := range names {
		found, err := q.listDatabase(ctx, db)
		for _, c := range found {
			err = cmp.Or(err, listed.Add(c.Options))
		}
		if err != nil {
			return nil, fmt.Errorf("list the collections of %s: %w", shown.Name(db), err)
		}
		all = append(all, found...)
	}
	return authFirst(all), nil
}

// listDatabase returns what is to be dumped of a database, in its order.
func (q *Inquiry) listDatabase(ctx context.Context, db string) ([]*Collection, error) {
	entries, err := q.entries(ctx, db)
	if err != nil {
		return nil, err
	}
	var plain, views []*Collection
	for _, e := range entries {
		full := db + "." + e.name
		switch {
		case !namespace.IsDumped(q.Database, db, e.name):
			q.warnOfLeftOut(db, e.name)
			continue
		case namespace.IsAuth(db, e.name):
			if !q.wantsUsers() {
				continue
			}
		case !q.Filter.Wants(full):
			continue
		}
		if document.True(e.options, "temp") { // of an aggregation under way, which drops or renames it
			if strings.HasPrefix(e.name, "tmp.") {
				q.Debug("left out, as it is temporary: " + shown.Name(full))
			} else {
				q.Warn("left out, as the server says that it is temporary: " + shown.Name(full))
			}
			continue
		}
		q.warnOfKind(db, e)
		found := &Collection{Collection: archive.Collection{DB: db, Name: e.name, Type: e.kind}, Options: e.options, uuid: e.uuid, Before: -1}
		if found.IsView() {
			views = append(views, found)
		} else {
			plain = append(plain, found)
		}
	}
	byName := func(a, b *Collection) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(plain, byName)
	slices.SortFunc(views, byName)
	return append(plain, viewsInOrder(views)...), nil
}
