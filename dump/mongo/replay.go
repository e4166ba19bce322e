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
)

// A replay plays a recorded oplog on what was loaded. What it does to indexes is
// only noted, as they are made at the end.
type replay struct {
	*loading
	transactions map[string][]bson.Raw // entries of those that are not committed yet
}

// replayOplog plays the entries of the archive's oplog, which is read from the
// block that has begun.
func (s *loading) replayOplog(ctx context.Context) error {
	if s.oplog == nil {
		if err := s.settle(ctx); err != nil { // entries may be about views and users
			return err
		}
		s.oplog = &replay{s, map[string][]bson.Raw{}}
	}
	for {
		doc, err := s.archive.Document()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		entry := bson.Raw(doc)
		if err := s.oplog.play(ctx, entry); err != nil {
			t, i, _ := entry.Lookup("ts").TimestampOK()
			ns, _ := entry.Lookup("ns").StringValueOK()
			return fmt.Errorf("replay the oplog: entry %d.%d on %s: %w", t, i, shown(ns), err)
		}
	}
}

// play plays one entry, or keeps it until its transaction is committed.
func (r *replay) play(ctx context.Context, entry bson.Raw) error {
	transaction, ok := transactionOf(entry)
	if !ok {
		return r.apply(ctx, entry)
	}
	object, _ := entry.Lookup("o").DocumentOK()
	switch {
	case has(object, "abortTransaction"):
		delete(r.transactions, transaction)
		return nil
	case !has(object, "commitTransaction"):
		r.transactions[transaction] = append(r.transactions[transaction], bytes.Clone(entry))
		if truth(object, "partialTxn") || truth(object, "prepare") {
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
	if !has(object, "applyOps") && !has(object, "commitTransaction") && !has(object, "abortTransaction") {
		return "", false
	}
	return string(session.Value) + string(number.Value), true
}

// apply plays one entry now.
func (r *replay) apply(ctx context.Context, entry bson.Raw) error {
	op, _ := entry.Lookup("op").StringValueOK()
	ns, _ := entry.Lookup("ns").StringValueOK()
	db, name, _ := strings.Cut(ns, ".")
	switch {
	case slices.Contains(ownOps, op), db == "config", strings.HasPrefix(db, internalPrefix):
		return nil
	case isAuth(db, name) && r.users == nil: // they are not restored
		return nil
	case name == viewsName:
		return r.applyView(ctx, db, op, entry)
	case op == "c":
		return r.applyCommand(ctx, db, entry)
	}
	return r.applyOps(ctx, entry, nil)
}

// ownOps are entries by which a server tells its like what is nobody else's
// business: nothing, and changes of containers, and of keys.
var ownOps = []string{"n", "ci", "cu", "cd", "km"}

// viewsName is the collection in which each database has its views. Nobody may
// write there, so what happened to a view is done by command.
const viewsName = "system.views"

func (r *replay) applyView(ctx context.Context, db, op string, entry bson.Raw) error {
	object, _ := entry.Lookup("o").DocumentOK()
	id, _ := object.Lookup("_id").StringValueOK()
	name, ok := strings.CutPrefix(id, db+".")
	if !ok {
		return fmt.Errorf("%q is no view of %s", id, db)
	}
	switch op {
	case "i":
		elements, err := object.Elements()
		if err != nil {
			return err
		}
		command := bson.D{{Key: "create", Value: name}}
		for _, e := range elements {
			if e.Key() != "_id" {
				command = append(command, bson.E{Key: e.Key(), Value: e.Value()})
			}
		}
		err = r.conn.run(ctx, db, command, &bson.Raw{})
		if hasCode(err, codeNamespaceExists) { // made after the oplog's beginning, and before views were listed
			return nil
		}
		return err
	case "d":
		return r.conn.run(ctx, db, bson.D{{Key: "drop", Value: name}}, &bson.Raw{})
	}
	return errors.New("a view is changed")
}

// applyOps has the server do what an entry says; object replaces the entry's o
// unless it is nil. UUIDs of the collections are left out, as theirs are others
// here, and so is what a server notes for its own purposes.
//
// What is updated may be missing, if it was deleted before it could be read: it is
// made then, and deleted by a later entry. Servers before 8.1 do so unasked.
func (r *replay) applyOps(ctx context.Context, entry bson.Raw, object bson.D) error {
	elements, err := entry.Elements()
	if err != nil {
		return err
	}
	var op bson.D
	if kind, _ := entry.Lookup("op").StringValueOK(); kind == "u" {
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
	return r.conn.run(ctx, "admin", command, &bson.Raw{})
}

// applyCommand plays an entry that is a command.
func (r *replay) applyCommand(ctx context.Context, db string, entry bson.Raw) error {
	object, ok := entry.Lookup("o").DocumentOK()
	if !ok {
		return errors.New("a command without its object")
	}
	first, err := object.IndexErr(0)
	if err != nil {
		return errors.New("a command without a name")
	}
	name, _ := first.Value().StringValueOK()
	command := first.Key()
	if !replayable(command) {
		return fmt.Errorf("unknown command %q", command)
	}
	switch command {
	case "startIndexBuild", "abortIndexBuild", "dbCheck", "setMultikeyMetadata", "dropIdent":
		return nil
	case "applyOps":
		entries, _ := first.Value().ArrayOK()
		values, err := bson.RawArray(entries).Values()
		if err != nil {
			return err
		}
		for _, v := range values {
			nested, ok := v.DocumentOK()
			if !ok {
				return errors.New("what is applied is no document")
			}
			if err := r.apply(ctx, nested); err != nil {
				return err
			}
		}
		return nil
	case "createIndexes":
		return r.noteIndex(db, name, object, true)
	case "commitIndexBuild":
		indexes, _ := object.Lookup("indexes").ArrayOK()
		values, err := bson.RawArray(indexes).Values()
		if err != nil {
			return err
		}
		for _, v := range values {
			index, _ := v.DocumentOK()
			if err := r.noteIndex(db, name, index, false); err != nil {
				return err
			}
		}
		return nil
	case "deleteIndex", "deleteIndexes", "dropIndex", "dropIndexes":
		r.forgetIndex(db, name, object)
		return nil
	case "collMod":
		return r.collMod(ctx, db, name, entry, object)
	case "drop":
		r.forgetCollections(db, name)
	case "dropDatabase":
		r.forgetCollections(db, "")
	case "create":
		return r.create(ctx, db, name, entry, object)
	}
	return r.applyOps(ctx, entry, nil)
}

// replayable tells whether an entry's command can be played. A dump whose oplog
// holds another is none.
func replayable(command string) bool {
	switch command {
	case "create", "drop", "dropDatabase", "renameCollection", "convertToCapped", "emptycapped", "collMod", "applyOps", "commitTransaction", "abortTransaction":
	case "createIndexes", "commitIndexBuild", "deleteIndex", "deleteIndexes", "dropIndex", "dropIndexes":
	case "startIndexBuild", "abortIndexBuild", "dbCheck", "setMultikeyMetadata", "dropIdent": // there is nothing to do
	default:
		return false
	}
	return true
}

// create makes a collection, whose options say how its indexes are made at the end.
func (r *replay) create(ctx context.Context, db, name string, entry, object bson.Raw) error {
	elements, err := object.Elements()
	if err != nil {
		return err
	}
	elements = slices.DeleteFunc(elements, func(e bson.RawElement) bool { return e.Key() == recordIDs })
	if r.targetNamed(db, name) == nil {
		options, err := rawDocument(elements[1:])
		if err != nil {
			return err
		}
		r.plan = append(r.plan, &target{db: db, name: name, metadata: metadata{Options: options}})
	}
	var command bson.D
	for _, e := range elements {
		command = append(command, bson.E{Key: e.Key(), Value: e.Value()})
	}
	return r.applyOps(ctx, entry, command)
}
