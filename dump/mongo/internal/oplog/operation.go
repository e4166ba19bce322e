// Package oplog is the record that a replica set keeps of what is done to it: what its entries
// mean, which of them can be done again, what there is after each of them, and how it is found on a
// server from one moment to another. It does nothing again: see load.
package oplog

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// An Operation is an entry of the oplog, or one of those within an entry, taken apart. What an
// oplog may hold is said here alone: by it a dump refuses an oplog that could not be played, and a
// restore plays one.
type Operation struct {
	bson.Raw
	Deed     Deed
	Op       string   // the letter of its kind
	DB, Name string   // what it is about; without a name the database as a whole
	Object   bson.Raw // its o
}

// A Deed is what has to be done to repeat an operation.
type Deed int

const (
	Nothing Deed = iota // it is the server's own business, or of no effect on what is restored
	WriteDocument
	ChangeView
	CreateCollection
	DropCollection
	DropDatabase
	AlterCollection
	alterData // of a collection as a whole
	Several   // operations
	CreateIndex
	CommitIndexes
	DropIndex
)

// commandDeeds are the commands that an oplog may hold.
var commandDeeds = map[string]Deed{
	"create": CreateCollection, "drop": DropCollection, "dropDatabase": DropDatabase,
	"collMod": AlterCollection, "convertToCapped": alterData, "emptycapped": alterData,
	"applyOps": Several, "commitTransaction": Nothing, "abortTransaction": Nothing, // see Transactions
	"createIndexes": CreateIndex, "commitIndexBuild": CommitIndexes,
	"deleteIndex": DropIndex, "deleteIndexes": DropIndex, "dropIndex": DropIndex, "dropIndexes": DropIndex,
	"startIndexBuild": Nothing, "abortIndexBuild": Nothing, "dbCheck": Nothing, "setMultikeyMetadata": Nothing, "dropIdent": Nothing,
}

// ownOps are entries by which a server tells its like what is nobody else's business: nothing, and
// changes of containers, and of keys.
var ownOps = []string{"n", "ci", "cu", "cd", "km"}

// Parse takes an entry apart. One that cannot be repeated, or of which nobody here knows what it
// means, is an error.
func Parse(entry bson.Raw) (*Operation, error) {
	o := &Operation{Raw: entry}
	o.Op, _ = entry.Lookup("op").StringValueOK()
	ns, _ := entry.Lookup("ns").StringValueOK()
	o.DB, o.Name, _ = strings.Cut(ns, ".")
	o.Object, _ = entry.Lookup("o").DocumentOK()
	if slices.Contains(ownOps, o.Op) {
		return o, nil
	}
	if !slices.Contains([]string{"i", "u", "d", "c"}, o.Op) {
		return nil, fmt.Errorf("what was done to %s during the dump cannot be repeated: the oplog has an entry of a kind that this program does not know: %+q", shown.Name(ns), o.Op)
	}
	command := ""
	if o.Op == "c" {
		first, err := o.Object.IndexErr(0)
		if err != nil {
			return nil, errors.New("the oplog has a command without a name")
		}
		command = first.Key()
		o.Name, _ = first.Value().StringValueOK()
	}
	switch {
	case o.DB == "admin" && o.Name == "system.version":
		return nil, errors.New("the server's compatibility version was changed during the dump")
	case o.DB == "config" && command == "create" && slices.Contains(reshardingCollections, o.Name):
		return nil, errors.New("a resharding began during the dump")
	case o.DB == "config", strings.HasPrefix(o.DB, namespace.InternalPrefix):
		return o, nil
	case command == "importCollection":
		return nil, fmt.Errorf("%s was imported during the dump", shown.Name(o.Namespace()))
	case command == "renameCollection": // of a collection with other documents, perhaps, than those that were read under its name
		to, _ := o.Object.Lookup("to").StringValueOK()
		return nil, fmt.Errorf("%s was renamed to %s during the dump", shown.Name(o.Name), shown.Name(to))
	case o.Name == namespace.Views:
		return o, o.ofView()
	case command == "":
		o.Deed = WriteDocument
		return o, nil
	}
	known := false
	if o.Deed, known = commandDeeds[command]; !known {
		return nil, fmt.Errorf("what was done to %s during the dump cannot be repeated: %s", shown.Name(o.DB), shown.Name(command))
	}
	return o, nil
}

// ofView refuses what cannot be told from a view's entry alone.
func (o *Operation) ofView() error {
	if o.Op == "c" { // on the collection of views itself, which comes with them
		return nil
	}
	id, _ := o.Object.Lookup("_id").StringValueOK()
	on, _ := o.Object.Lookup("viewOn").StringValueOK()
	switch {
	case o.Op == "i" && strings.HasPrefix(on, version.BucketsPrefix):
		return fmt.Errorf("the time series %s was made during the dump", shown.Name(id))
	case o.Op == "u":
		id, _ = o.Lookup("o2", "_id").StringValueOK()
		return fmt.Errorf("the view %s was changed during the dump", shown.Name(id))
	}
	name, ok := strings.CutPrefix(id, o.DB+".")
	if !ok {
		return fmt.Errorf("the oplog has a view %+q, which is none of %s", id, shown.Name(o.DB))
	}
	o.Deed, o.Name = ChangeView, name
	return nil
}

// Namespace is the full name of what the operation is about.
func (o *Operation) Namespace() string { return o.DB + "." + o.Name }

// Parts are the operations of several.
func (o *Operation) Parts() ([]*Operation, error) {
	entries, _ := o.Object.Index(0).Value().ArrayOK()
	values, err := bson.RawArray(entries).Values()
	if err != nil {
		return nil, err
	}
	var all []*Operation
	for _, v := range values {
		entry, ok := v.DocumentOK()
		if !ok {
			return nil, errors.New("what is applied is no document")
		}
		part, err := Parse(entry)
		if err != nil {
			return nil, err
		}
		all = append(all, part)
	}
	return all, nil
}

// Playable refuses an entry of which any part cannot be repeated.
func Playable(entry bson.Raw) error {
	o, err := Parse(entry)
	if err != nil || o.Deed != Several {
		return err
	}
	parts, err := o.Parts()
	for _, part := range parts {
		err = errors.Join(err, Playable(part.Raw))
	}
	return err
}

// AtEntry says of an error in the replay which entry it is of.
func AtEntry(entry bson.Raw, err error) error {
	return fmt.Errorf("replay the oplog: %s: %w", Named(entry), err)
}

// Named says which entry it is, and nothing of what is in it, which may be a user's credentials.
func Named(entry bson.Raw) string {
	t, i, _ := entry.Lookup("ts").TimestampOK()
	ns, _ := entry.Lookup("ns").StringValueOK()
	return fmt.Sprintf("entry %d.%d on %s", t, i, shown.Name(ns))
}
