package mongo

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// An operation is an entry of the oplog, or one of those within an entry, taken
// apart. What an oplog may hold is said here alone: by it a dump refuses an oplog
// that could not be played, and a restore plays one.
type operation struct {
	bson.Raw
	deed     deed
	op       string   // the letter of its kind
	db, name string   // what it is about; without a name the database as a whole
	object   bson.Raw // its o
}

// A deed is what has to be done to repeat an operation.
type deed int

const (
	nothing deed = iota // it is the server's own business, or of no effect on what is restored
	writeDocument
	changeView
	createCollection
	dropCollection
	dropDatabase
	alterCollection
	alterData // of a collection as a whole
	several   // operations
	createIndex
	commitIndexes
	dropIndex
)

// commandDeeds are the commands that an oplog may hold.
var commandDeeds = map[string]deed{
	"create": createCollection, "drop": dropCollection, "dropDatabase": dropDatabase,
	"collMod": alterCollection, "convertToCapped": alterData, "emptycapped": alterData,
	"applyOps": several, "commitTransaction": nothing, "abortTransaction": nothing, // see replay.play
	"createIndexes": createIndex, "commitIndexBuild": commitIndexes,
	"deleteIndex": dropIndex, "deleteIndexes": dropIndex, "dropIndex": dropIndex, "dropIndexes": dropIndex,
	"startIndexBuild": nothing, "abortIndexBuild": nothing, "dbCheck": nothing, "setMultikeyMetadata": nothing, "dropIdent": nothing,
}

// ownOps are entries by which a server tells its like what is nobody else's
// business: nothing, and changes of containers, and of keys.
var ownOps = []string{"n", "ci", "cu", "cd", "km"}

// newOperation takes an entry apart. One that cannot be repeated, or of which
// nobody here knows what it means, is an error.
func newOperation(entry bson.Raw) (*operation, error) {
	o := &operation{Raw: entry}
	o.op, _ = entry.Lookup("op").StringValueOK()
	ns, _ := entry.Lookup("ns").StringValueOK()
	o.db, o.name, _ = strings.Cut(ns, ".")
	o.object, _ = entry.Lookup("o").DocumentOK()
	if slices.Contains(ownOps, o.op) {
		return o, nil
	}
	if !slices.Contains([]string{"i", "u", "d", "c"}, o.op) {
		return nil, fmt.Errorf("what was done to %s during the dump cannot be repeated: the oplog has an entry of a kind that this program does not know: %+q", shown.Name(ns), o.op)
	}
	command := ""
	if o.op == "c" {
		first, err := o.object.IndexErr(0)
		if err != nil {
			return nil, errors.New("the oplog has a command without a name")
		}
		command = first.Key()
		o.name, _ = first.Value().StringValueOK()
	}
	switch {
	case o.db == "admin" && o.name == "system.version":
		return nil, errors.New("the server's compatibility version was changed during the dump")
	case o.db == "config" && command == "create" && slices.Contains(reshardingCollections, o.name):
		return nil, errors.New("a resharding began during the dump")
	case o.db == "config", strings.HasPrefix(o.db, namespace.InternalPrefix):
		return o, nil
	case command == "importCollection":
		return nil, fmt.Errorf("%s was imported during the dump", shown.Name(o.namespace()))
	case command == "renameCollection": // of a collection with other documents, perhaps, than those that were read under its name
		to, _ := o.object.Lookup("to").StringValueOK()
		return nil, fmt.Errorf("%s was renamed to %s during the dump", shown.Name(o.name), shown.Name(to))
	case o.name == namespace.Views:
		return o, o.ofView()
	case command == "":
		o.deed = writeDocument
		return o, nil
	}
	known := false
	if o.deed, known = commandDeeds[command]; !known {
		return nil, fmt.Errorf("what was done to %s during the dump cannot be repeated: %s", shown.Name(o.db), shown.Name(command))
	}
	return o, nil
}

// ofView refuses what cannot be told from a view's entry alone.
func (o *operation) ofView() error {
	if o.op == "c" { // on the collection of views itself, which comes with them
		return nil
	}
	id, _ := o.object.Lookup("_id").StringValueOK()
	on, _ := o.object.Lookup("viewOn").StringValueOK()
	switch {
	case o.op == "i" && strings.HasPrefix(on, version.BucketsPrefix):
		return fmt.Errorf("the time series %s was made during the dump", shown.Name(id))
	case o.op == "u":
		id, _ = o.Lookup("o2", "_id").StringValueOK()
		return fmt.Errorf("the view %s was changed during the dump", shown.Name(id))
	}
	name, ok := strings.CutPrefix(id, o.db+".")
	if !ok {
		return fmt.Errorf("the oplog has a view %+q, which is none of %s", id, shown.Name(o.db))
	}
	o.deed, o.name = changeView, name
	return nil
}

func (o *operation) namespace() string { return o.db + "." + o.name }

// parts are the operations of several.
func (o *operation) parts() ([]*operation, error) {
	entries, _ := o.object.Index(0).Value().ArrayOK()
	values, err := bson.RawArray(entries).Values()
	if err != nil {
		return nil, err
	}
	var all []*operation
	for _, v := range values {
		entry, ok := v.DocumentOK()
		if !ok {
			return nil, errors.New("what is applied is no document")
		}
		part, err := newOperation(entry)
		if err != nil {
			return nil, err
		}
		all = append(all, part)
	}
	return all, nil
}

// playable refuses an entry of which any part cannot be repeated.
func playable(entry bson.Raw) error {
	o, err := newOperation(entry)
	if err != nil || o.deed != several {
		return err
	}
	parts, err := o.parts()
	for _, part := range parts {
		err = errors.Join(err, playable(part.Raw))
	}
	return err
}

// A scope is what there is, as far as an oplog has been read.
//
// Between the oplog's beginning and the listing of collections some are dropped;
// others are temporary, as those of $out, and left out; and some are each server's
// own. What the oplog says of them is passed over, as a server does that makes
// itself a copy of another: at the oplog's end they are gone, or would be.
type scope struct {
	databases, collections, views map[string]bool
}

func newScope() scope {
	return scope{map[string]bool{}, map[string]bool{}, map[string]bool{}}
}

// add adds a collection, of a time series also its buckets, or a view.
func (s scope) add(db, name, kind string) {
	s.databases[db] = true
	switch kind {
	case "view":
		s.views[db+"."+name] = true
		return
	case "timeseries":
		s.collections[db+"."+version.BucketsPrefix+name] = true
	}
	s.collections[db+"."+name] = true
}

// covers tells whether an operation is about what there is, or makes it. It follows
// what the operation does.
func (s scope) covers(o *operation) bool {
	ns := o.namespace()
	switch o.deed {
	case nothing, several:
		return true
	case createCollection:
		if s.collections[ns] || !namespace.IsLoaded(o.db, o.name) || document.True(o.object, "temp") {
			return false // made before it was listed, or not dumped
		}
		s.add(o.db, o.name, "")
		return true
	case changeView:
		there := s.views[ns]
		switch {
		case o.op == "d":
			buckets := o.db + "." + version.BucketsPrefix + o.name
			if s.collections[ns] && s.collections[buckets] { // a time series whose buckets are dropped next
				there = true
				s.drop(o.db, version.BucketsPrefix+o.name)
			}
			delete(s.views, ns)
			return there
		case there, s.collections[ns]: // made before it was listed, or gone before the collection was made
			return false
		}
		s.add(o.db, o.name, "view")
		return true
	case dropDatabase:
		defer s.dropDatabase(o.db)
		return s.databases[o.db]
	case dropCollection:
		defer s.drop(o.db, o.name)
	}
	return s.collections[ns] || namespace.IsAuth(o.db, o.name)
}

// drop takes out a collection; one of buckets with its time series.
func (s scope) drop(db, name string) {
	delete(s.collections, db+"."+name)
	series, ok := strings.CutPrefix(name, version.BucketsPrefix)
	if ns := db + "." + series; ok && s.collections[ns] {
		delete(s.collections, ns)
		s.views[ns] = true // as which it stands among the views
	}
}

// dropDatabase takes out a database, and returns the names of what there was in it.
func (s scope) dropDatabase(db string) (dropped []string) {
	delete(s.databases, db)
	for _, all := range []map[string]bool{s.views, s.collections} {
		for _, ns := range slices.Sorted(maps.Keys(all)) {
			if name, ok := strings.CutPrefix(ns, db+"."); ok {
				delete(all, ns)
				dropped = append(dropped, name)
			}
		}
	}
	return dropped
}
