package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/oplog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// A replay plays a recorded oplog on what was loaded. What it does to indexes is only noted, as
// they are made at the end.
type replay struct {
	*loading
	oplog.Scope
	transactions oplog.Transactions
}

func (s *loading) newReplay() *replay {
	r := &replay{s, oplog.NewScope(), oplog.Transactions{}}
	for _, t := range s.plan {
		kind := t.from.kind
		if t.kind == targetView {
			kind = "view"
		}
		r.Add(t.db, t.name, kind)
	}
	return r
}

// replayOplog plays the entries of the dump's oplog that an item has.
func (s *loading) replayOplog(ctx context.Context, item dump.Item) error {
	if s.oplog == nil {
		if err := s.settle(ctx); err != nil { // entries may be about views and users
			return err
		}
		s.oplog = s.newReplay()
	}
	for entry, err := range item.Rows() {
		if err != nil {
			return err
		}
		err := s.oplog.play(ctx, entry)
		if s.goesOn() {
			s.asked.Add(1)
			err = s.orRefused(ctx, entryRefused, "the oplog's "+oplog.Named(entry), err)
		}
		if err != nil {
			return oplog.AtEntry(entry, err)
		}
	}
	return nil
}

// play plays one entry, or keeps it until its transaction is committed.
func (r *replay) play(ctx context.Context, entry bson.Raw) error {
	for _, e := range r.transactions.Take(entry) {
		if err := r.apply(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// apply plays one entry now.
func (r *replay) apply(ctx context.Context, entry bson.Raw) error {
	o, err := oplog.Parse(entry)
	if err != nil {
		return err
	}
	return r.perform(ctx, o)
}

func (r *replay) perform(ctx context.Context, o *oplog.Operation) error {
	if namespace.IsAuth(o.DB, o.Name) {
		if r.users == nil || o.Deed != oplog.WriteDocument && o.Deed != oplog.CreateCollection { // not restored, or up to the server
			return nil
		}
		return r.applyOps(ctx, o, nil)
	}
	if o.Deed == oplog.DropDatabase {
		return r.emptyDatabase(ctx, o.DB)
	}
	if !r.Covers(o) {
		return nil
	}
	switch o.Deed {
	case oplog.Nothing:
		return nil
	case oplog.ChangeView:
		return r.applyView(ctx, o)
	case oplog.Several:
		parts, err := o.Parts()
		if err != nil {
			return err
		}
		for _, part := range parts {
			if err := r.perform(ctx, part); err != nil {
				return err
			}
		}
		return nil
	case oplog.CreateIndex:
		return r.noteIndex(o.DB, o.Name, o.Object, true)
	case oplog.CommitIndexes:
		return r.noteIndexes(o)
	case oplog.DropIndex:
		r.forgetIndex(o.DB, o.Name, o.Object)
		return nil
	case oplog.AlterCollection:
		return r.collMod(ctx, o)
	case oplog.CreateCollection:
		return r.create(ctx, o)
	case oplog.DropCollection:
		r.forgetCollections(o.DB, o.Name)
	}
	return r.applyOps(ctx, o, nil)
}

// emptyDatabase drops what is left in a database of what was made here: the target may have
// collections of its own in one of that name. A server notes the drop of each collection before the
// database's, so that is views at most.
func (r *replay) emptyDatabase(ctx context.Context, db string) error {
	r.forgetCollections(db, "")
	names := r.DropDatabase(db)
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

// applyView makes or drops a view. One that the server refuses, or in whose place there is
// something, is noted; what the oplog says of it later is passed over.
func (r *replay) applyView(ctx context.Context, o *oplog.Operation) error {
	if o.Op == "d" {
		r.forgetCollections(o.DB, o.Name) // where it is a time series
		err := r.run(ctx, o.DB, bson.D{{Key: "drop", Value: o.Name}}, &bson.Raw{})
		if server.HasCode(err, server.CodeNamespaceNotFound) { // one that the server refused, or a time series without its buckets
			return nil
		}
		return err
	}
	elements, err := o.Object.Elements()
	if err != nil {
		return err
	}
	command := bson.D{{Key: "create", Value: o.Name}}
	for _, e := range elements {
		if e.Key() != "_id" {
			command = append(command, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	err = r.vacant(ctx, o)
	if err == nil {
		err = r.run(ctx, o.DB, command, &bson.Raw{})
	}
	if err == nil {
		return nil
	}
	r.DropView(o.DB, o.Name)
	err = fmt.Errorf("%s: create: %w", shown.Name(o.Namespace()), err)
	if errors.Is(err, dump.ErrNotEmpty) {
		r.note(viewRefused, "view "+shown.Name(o.Namespace()), err)
		return nil
	}
	return r.orRefused(ctx, viewRefused, "view "+shown.Name(o.Namespace()), err)
}

// applyOps has the server do what an entry says; object replaces the entry's o unless it is nil.
// UUIDs of the collections are left out, as theirs are others here, and so is what a server notes
// for its own purposes.
//
// What is updated may be missing, if it was deleted before it could be read: it is made then, and
// deleted by a later entry. Servers before 8.1 do so unasked.
func (r *replay) applyOps(ctx context.Context, o *oplog.Operation, object bson.D) error {
	elements, err := o.Elements()
	if err != nil {
		return err
	}
	var op bson.D
	if o.Op == "u" {
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
func (r *replay) create(ctx context.Context, o *oplog.Operation) error {
	if err := r.vacant(ctx, o); err != nil {
		return err
	}
	elements, err := o.Object.Elements()
	if err != nil {
		return err
	}
	elements = slices.DeleteFunc(elements, func(e bson.RawElement) bool { return e.Key() == definition.RecordIDs })
	options, err := document.Of(elements[1:])
	if err != nil {
		return err
	}
	r.plan = append(r.plan, &target{db: o.DB, name: o.Name, metadata: definition.Metadata{Options: options}})
	var command bson.D
	for _, e := range elements {
		command = append(command, bson.E{Key: e.Key(), Value: e.Value()})
	}
	return r.applyOps(ctx, o, command)
}

// vacant refuses to make a collection or a view where there is one of another's: what is made
// during a dump is not in its prelude, and so was not looked for before.
func (r *replay) vacant(ctx context.Context, o *oplog.Operation) error {
	var answer struct {
		Cursor struct {
			FirstBatch []struct {
				Name string `bson:"name"`
			} `bson:"firstBatch"`
		} `bson:"cursor"`
	}
	command := bson.D{{Key: "listCollections", Value: 1}, {Key: "filter", Value: bson.D{{Key: "name", Value: o.Name}}}, {Key: "nameOnly", Value: true}}
	if err := r.run(ctx, o.DB, command, &answer); err != nil {
		return fmt.Errorf("list the collections of %s: %w", shown.Name(o.DB), err)
	}
	for _, found := range answer.Cursor.FirstBatch {
		if found.Name == o.Name {
			return fmt.Errorf("%w: there is %s, which was made during the dump", dump.ErrNotEmpty, shown.Name(o.Namespace()))
		}
	}
	return nil
}
