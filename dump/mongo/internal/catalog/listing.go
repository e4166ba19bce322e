package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// databases returns the names of all databases but those that are each server's own.
//
// Without authorizedDatabases a server answers a user who may not list all databases with those
// that he may see, as if there were no others. With false it answers with all or not at all.
func databases(ctx context.Context, q *Inquiry) ([]string, error) {
	if !q.Conn.Info.Mongod { // FerretDB hides none, and its version 2 refuses the word
		return databaseNames(ctx, q.Conn, nil)
	}
	all := false
	names, err := databaseNames(ctx, q.Conn, &all)
	if err == nil || server.HasCode(err, server.CodeUnauthorized) || ctx.Err() != nil {
		return names, err
	}
	short, again := databaseNames(ctx, q.Conn, nil)
	if again != nil {
		return nil, err
	}
	q.Warn(fmt.Sprintf("whether these are all databases of the server is not known, as it does not take authorizedDatabases (%v): those that the user may not see are missing", err))
	return short, nil
}

// databaseNames returns the names that listDatabases answers with, in their order.
func databaseNames(ctx context.Context, c *server.Conn, authorized *bool) ([]string, error) {
	var answer struct {
		Databases *[]struct {
			Name string `bson:"name"`
		} `bson:"databases"`
	}
	command := bson.D{{Key: "listDatabases", Value: 1}, {Key: "nameOnly", Value: true}}
	if authorized != nil {
		command = append(command, bson.E{Key: "authorizedDatabases", Value: *authorized})
	}
	if err := c.Run(ctx, "admin", command, &answer); err != nil {
		return nil, fmt.Errorf("list the databases: %w", err)
	}
	if answer.Databases == nil {
		return nil, errors.New("list the databases: the server answers without any list")
	}
	var names []string
	for _, db := range *answer.Databases {
		switch {
		case db.Name == "" || strings.ContainsAny(db.Name, ".\x00"):
			return nil, fmt.Errorf("list the databases: the server names one %+q, which is no name", db.Name)
		case slices.Contains(names, db.Name):
			return nil, fmt.Errorf("list the databases: the server names %s twice", shown.Name(db.Name))
		}
		names = append(names, db.Name)
	}
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == "local" || strings.HasPrefix(name, namespace.InternalPrefix) }), nil
}

// An entry is what a server lists of a collection.
type entry struct {
	name, kind string
	options    bson.Raw
	uuid       string
	unknown    []string // what it says besides
}

func newEntry(doc bson.Raw) (*entry, error) {
	if err := doc.Validate(); err != nil {
		return nil, fmt.Errorf("the server lists what is no document: %w", err)
	}
	name, ok := doc.Lookup("name").StringValueOK()
	if !ok || name == "" || strings.Contains(name, "\x00") {
		return nil, errors.New("the server lists one without a name")
	}
	e := &entry{name: name, kind: "collection", options: bson.Raw(document.Empty), unknown: document.Unlisted(doc, entryFields)}
	if kind, err := doc.LookupErr("type"); err == nil { // servers before 3.4 say nothing
		if e.kind, ok = kind.StringValueOK(); !ok || e.kind == "" {
			return nil, fmt.Errorf("the server says of %s a type that is no text", shown.Name(name))
		}
	}
	if options, err := doc.LookupErr("options"); err == nil && options.Type != bson.TypeNull {
		raw, ok := options.DocumentOK()
		if !ok || raw.Validate() != nil || document.Deeper(raw, document.MostDepth) {
			return nil, fmt.Errorf("the server says of %s options that are no document", shown.Name(name))
		}
		e.options = slices.Clone(raw)
	}
	if _, uuid, ok := doc.Lookup("info", "uuid").BinaryOK(); ok {
		e.uuid = fmt.Sprintf("%x", uuid)
	}
	return e, nil
}

// entries returns what a database holds. The server is asked for the names alone as well, which it
// finds in another way; an answer that is short of one of them is none.
func (q *Inquiry) entries(ctx context.Context, db string) ([]*entry, error) {
	const tries = 10 // others make and drop collections meanwhile
	var missing []string
	for range tries {
		all, err := q.list1(ctx, db, nil)
		if server.HasCode(err, server.CodeInvalidView) {
			return q.entriesBesideViews(ctx, db, err)
		}
		if err != nil {
			return nil, err
		}
		named, err := collectionNames(ctx, q.Conn, db)
		if err != nil {
			return nil, err
		}
		for _, e := range all {
			delete(named, e.name)
		}
		if len(named) == 0 {
			return all, q.bucketsOf(all)
		}
		missing = slices.Sorted(maps.Keys(named))
	}
	return nil, fmt.Errorf("the server names collections that it does not describe, each of %d times that it was asked: %s", tries, shown.Names(missing))
}

// bucketsOf looks whether each time series has the collection that its documents are in: of one
// that is not there a server finds nothing, and says no more.
func (q *Inquiry) bucketsOf(all []*entry) error {
	if q.Conn.Info.Version.RawData() {
		return nil
	}
	for _, e := range all {
		buckets := version.BucketsPrefix + e.name
		if e.kind == "timeseries" && !slices.ContainsFunc(all, func(other *entry) bool { return other.name == buckets }) {
			return fmt.Errorf("the server lists the time series %s, and not its buckets", shown.Name(e.name))
		}
	}
	return nil
}

// list1 asks once for the collections of a database, or for those that a filter of the server's
// lets through.
func (q *Inquiry) list1(ctx context.Context, db string, filter bson.D) ([]*entry, error) {
	command := bson.D{{Key: "listCollections", Value: 1}}
	if filter != nil {
		command = append(command, bson.E{Key: "filter", Value: filter})
	}
	var all []*entry
	seen := map[string]bool{}
	err := q.Conn.Each(ctx, db, append(command, bson.E{Key: "cursor", Value: bson.D{}}), func(doc bson.Raw) error {
		e, err := newEntry(doc)
		if err != nil {
			return err
		}
		if seen[e.name] {
			return fmt.Errorf("the server lists %s twice", shown.Name(e.name))
		}
		seen[e.name] = true
		all = append(all, e)
		return nil
	})
	return all, err
}

// collectionNames returns the names of all that a database holds. Of a user who may not list all of
// them authorizedCollections would hide some, as of databases; without it that is an error.
func collectionNames(ctx context.Context, c *server.Conn, db string) (map[string]bool, error) {
	names := map[string]bool{}
	command := bson.D{{Key: "listCollections", Value: 1}, {Key: "nameOnly", Value: true}, {Key: "cursor", Value: bson.D{}}}
	err := c.Each(ctx, db, command, func(doc bson.Raw) error {
		if name, ok := doc.Lookup("name").StringValueOK(); ok {
			names[name] = true
		}
		return nil
	})
	return names, err
}

// entriesBesideViews returns what a database holds of whose views the server reads none, as the
// definition of one is invalid. It lists the collections by themselves then; a time series is told
// by its buckets, and the views are taken from where they stand.
func (q *Inquiry) entriesBesideViews(ctx context.Context, db string, why error) ([]*entry, error) {
	all, err := q.list1(ctx, db, bson.D{{Key: "type", Value: "collection"}}) // the one filter by which views are not looked at
	if err != nil {
		return nil, errors.Join(why, err)
	}
	q.Warn(fmt.Sprintf("the server reads none of the views of %s, as the definition of one is invalid (%v): they are dumped as they stand in system.views", shown.Name(db), why))
	for _, e := range all {
		name, ok := strings.CutPrefix(e.name, version.BucketsPrefix)
		if !ok || !document.Has(e.options, "timeseries") {
			continue
		}
		elements, err := e.options.Elements()
		if err != nil {
			return nil, err
		}
		elements = slices.DeleteFunc(elements, func(o bson.RawElement) bool {
			return !slices.Contains([]string{"timeseries", "expireAfterSeconds", "collation", "storageEngine", "indexOptionDefaults"}, o.Key())
		})
		options, err := document.Of(elements)
		if err != nil {
			return nil, err
		}
		all = append(all, &entry{name: name, kind: "timeseries", options: options, uuid: e.uuid})
	}
	err = q.Conn.Each(ctx, db, bson.D{{Key: "find", Value: namespace.Views}}, func(doc bson.Raw) error {
		id, _ := doc.Lookup("_id").StringValueOK()
		name, ok := strings.CutPrefix(id, db+".")
		on, isText := doc.Lookup("viewOn").StringValueOK()
		_, isPipeline := doc.Lookup("pipeline").ArrayOK()
		switch {
		case strings.HasPrefix(on, version.BucketsPrefix):
			return nil
		case !ok || name == "" || !isText || !isPipeline:
			q.Warn(fmt.Sprintf("view %s is left out, as its definition is none", shown.Name(id)))
			return nil
		}
		elements, err := doc.Elements()
		if err != nil {
			return err
		}
		options, err := document.Of(slices.DeleteFunc(elements, func(e bson.RawElement) bool { return e.Key() == "_id" }))
		if err != nil {
			return err
		}
		all = append(all, &entry{name: name, kind: "view", options: options})
		return nil
	})
	if err != nil {
		q.Warn(fmt.Sprintf("the views of %s are left out: %v", shown.Name(db), err))
	}
	return all, nil
}
