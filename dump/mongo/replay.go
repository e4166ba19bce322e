package mongo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// A replay plays a recorded oplog on what was loaded. What it does to indexes is
// only noted, as they are made at the end.
type replay struct {
	*loading
	scope
	transactions map[string][]bson.Raw // entries of those that are not committed yet
}

func (s *loading) newReplay() *replay {
	r := &replay{s, newScope(), map[string][]bson.Raw{}}
	for _, t := range s.plan {
		kind := t.Type
		if t.kind == targetView {
			kind = "view"
		}
		r.add(t.db, t.name, kind)
	}
	return r
}

// replayOplog plays the entries of the archive's oplog, which is read from the
// block that has begun.
func (s *loading) replayOplog(ctx context.Context) error {
	if s.oplog == nil {
		if err := s.settle(ctx); err != nil { // entries may be about views and users
			return err
		}
		s.oplog = s.newReplay()
	}
	for {
		doc, err := s.archive.Document()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.oplog.play(ctx, doc); err != nil {
			return inOplog(doc, err)
		}
	}
}

// inOplog says of an error which entry it is of.
func inOplog(entry bson.Raw, err error) error {
	t, i, _ := entry.Lookup("ts").TimestampOK()
	ns, _ := entry.Lookup("ns").StringValueOK()
	return fmt.Errorf("replay the oplog: entry %d.%d on %s: %w", t, i, shown.Name(ns), err)
}

// play plays one entry, or keeps it until its transaction is committed.
func (r *replay) play(ctx context.Context, entry bson.Raw) error {
	transaction, ok := transactionOf(entry)
	if !ok {
		return r.apply(ctx, entry)
	}
	object, _ := entry.Lookup("o").DocumentOK()
	switch {
	case document.Has(object, "abortTransaction"):
		delete(r.transactions, transaction)
		return nil
	case !document.Has(object, "commitTransaction"):
		r.transactions[transaction] = append(r.transactions[transaction], bytes.Clone(entry))
		if document.True(object, "partialTxn") || document.True(object, "prepare") {
			return nil
		}
	case r.transactions[transaction] == nil:
		return nil // it was prepared before the oplog begins and committed before the first document was read
	}
	entries := r.transactions[transaction]
	delete(r.transactions, transaction)
	for _, e := range entries {
		if err := r.apply(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// transactionOf tells the entries of a transaction, which may be several, from
// those that stand for themselves.
func transactionOf(entry bson.Raw) (string, bool) {
	session, err := entry.LookupErr("lsid")
	number, err2 := entry.LookupErr("txnNumber")
	op, _ := entry.Lookup("op").StringValueOK()
	if err != nil || err2 != nil || op != "c" {
		return "", false
	}
	if kind, ok := entry.Lookup("multiOpType").AsInt64OK(); ok && kind == 1 {
		return "", false // many inserts in one entry, and no transaction
	}
	object, _ := entry.Lookup("o").DocumentOK()
	if !document.Has(object, "applyOps") && !document.Has(object, "commitTransaction") && !document.Has(object, "abortTransaction") {
		return "", false
	}
	return string(session.Value) + string(number.Value), true
}

// apply plays one entry now.
func (r *replay) apply(ctx context.Context, entry bson.Raw) error {
	o, err := newOperation(entry)
	if err != nil {
		return err
	}
	return r.perform(ctx, o)
}

func (r *replay) perform(ctx context.Context, o *operation) error {
	if namespace.IsAuth(o.db, o.name) {
		if r.users == nil || o.deed != writeDocument && o.deed != createCollection { // not restored, or up to the server
			return nil
		}
		return r.applyOps(ctx, o, nil)
	}
	if o.deed == dropDatabase {
		return r.emptyDatabase(ctx, o.db)
	}
	if !r.covers(o) {
		return nil
	}
	switch o.deed {
	case nothing:
		return nil
	case changeView:
		return r.applyView(ctx, o)
	case several:
		parts, err := o.parts()
		if err != nil {
			return err
		}
		for _, part := range parts {
			if err := r.perform(ctx, part); err != nil {
				return err
			}
		}
		return nil
	case createIndex:
		return r.noteIndex(o.db, o.name, o.object, true)
	case commitIndexes:
		return r.noteIndexes(o)
	case dropIndex:
		r.forgetIndex(o.db, o.name, o.object)
		return nil
	case alterCollection:
		return r.collMod(ctx, o)
	case createCollection:
		return r.create(ctx, o)
	case dropCollection:
		r.forgetCollections(o.db, o.name)
	}
	return r.applyOps(ctx, o, nil)
}

// emptyDatabase drops what is left in a database of what was made here: the target
// may have collections of its own in one of that name. A server notes the drop of
// each collection before the database's, so that is views at most.
func (r *replay) emptyDatabase(ctx context.Context, db string) error {
	r.forgetCollections(db, "")
	names := r.dropDatabase(db)
	for _, name := range names {
		if series, ok := strings.CutPrefix(name, version.BucketsPrefix); ok && slices.Contains(names, series) { // with which they go
			continue
		}
		err := r.run(ctx, db, bson.D{{Key: "drop", Value: name}}, &bson.Raw{})
		if err != nil && !server.HasCode(err, server.CodeNamespaceNotFound) {
			return err
		}
	}
	return nil
}

// applyView makes or drops a view. One that the server refuses, or in whose place
// there is something, is noted; what the oplog says of it later is passed over.
func (r *replay) applyView(ctx context.Context, o *operation) error {
	if o.op == "d" {
		r.forgetCollections(o.db, o.name) // where it is a time series
		err := r.run(ctx, o.db, bson.D{{Key: "drop", Value: o.name}}, &bson.Raw{})
		if server.HasCode(err, server.CodeNamespaceNotFound) { // one that the server refused, or a time series without its buckets
			return nil
		}
		return err
	}
	elements, err := o.object.Elements()
	if err != nil {
		return err
	}
	command := bson.D{{Key: "create", Value: o.name}}
	for _, e := range elements {
		if e.Key() != "_id" {
			command = append(command, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	err = r.vacant(ctx, o)
	if err == nil {
		err = r.run(ctx, o.db, command, &bson.Raw{})
	}
	if err == nil {
		return nil
	}
	delete(r.views, o.namespace())
	err = fmt.Errorf("%s: create: %w", shown.Name(o.namespace()), err)
	if errors.Is(err, ErrNotEmpty) {
		r.refused = append(r.refused, refusal{viewRefused, err})
		return nil
	}
	return r.orRefused(ctx, viewRefused, err)
}

// applyOps has the server do what an entry says; object replaces the entry's o
// unless it is nil. UUIDs of the collections are left out, as theirs are others
// here, and so is what a server notes for its own purposes.
//
// What is updated may be missing, if it was deleted before it could be read: it is
// made then, and deleted by a later entry. Servers before 8.1 do so unasked.
func (r *replay) applyOps(ctx context.Context, o *operation, object bson.D) error {
	elements, err := o.Elements()
	if err != nil {
		return err
	}
	var op bson.D
	if o.op == "u" {
		op = append(op, bson.E{Key: "b", Value: true})
	}
	for _, e := range elements {
		switch e.Key() {
		case "o":
			if object != nil {
				op = append(op, bson.E{Key: "o", Value: object})
				continue
			}
			op = append(op, bson.E{Key: "o", Value: e.Value()})
		case "ts", "t", "v", "op", "ns", "o2":
			op = append(op, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	command := bson.D{{Key: "applyOps", Value: bson.A{op}}, {Key: "bypassDocumentValidation", Value: true}}
	return r.run(ctx, "admin", command, &bson.Raw{})
}

// create makes a collection, whose options say how its indexes are made at the end.
func (r *replay) create(ctx context.Context, o *operation) error {
	if err := r.vacant(ctx, o); err != nil {
		return err
	}
	elements, err := o.object.Elements()
	if err != nil {
		return err
	}
	elements = slices.DeleteFunc(elements, func(e bson.RawElement) bool { return e.Key() == definition.RecordIDs })
	options, err := document.Of(elements[1:])
	if err != nil {
		return err
	}
	r.plan = append(r.plan, &target{db: o.db, name: o.name, metadata: definition.Metadata{Options: options}})
	var command bson.D
	for _, e := range elements {
		command = append(command, bson.E{Key: e.Key(), Value: e.Value()})
	}
	return r.applyOps(ctx, o, command)
}

// vacant refuses to make a collection or a view where there is one of another's: what is
// made during a dump is not in its prelude, and so was not looked for before.
func (r *replay) vacant(ctx context.Context, o *operation) error {
	var answer struct {
		Cursor struct {
			FirstBatch []struct {
				Name string `bson:"name"`
			} `bson:"firstBatch"`
		} `bson:"cursor"`
	}
	command := bson.D{{Key: "listCollections", Value: 1}, {Key: "filter", Value: bson.D{{Key: "name", Value: o.name}}}, {Key: "nameOnly", Value: true}}
	if err := r.run(ctx, o.db, command, &answer); err != nil {
		return fmt.Errorf("list the collections of %s: %w", shown.Name(o.db), err)
	}
	for _, found := range answer.Cursor.FirstBatch {
		if found.Name == o.name {
			return fmt.Errorf("%w: there is %s, which was made during the dump", ErrNotEmpty, shown.Name(o.namespace()))
		}
	}
	return nil
}
