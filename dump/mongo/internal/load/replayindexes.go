package load

import (
	"context"
	"errors"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/oplog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// noteIndex has an index made at the end. In a command its name stands first.
func (r *replay) noteIndex(db, name string, described bson.Raw, isCommand bool) error {
	elements, err := described.Elements()
	if err != nil {
		return err
	}
	if isCommand {
		elements = elements[1:]
	}
	index, err := document.Of(elements)
	if err != nil {
		return err
	}
	if !document.Has(index, "key") {
		return errors.New("an index without a key")
	}
	if spec, ok := index.Lookup("originalSpec").DocumentOK(); ok && strings.HasPrefix(name, version.BucketsPrefix) {
		name, index = strings.TrimPrefix(name, version.BucketsPrefix), spec // of a time series, as it was asked for
	}
	t := r.targetNamed(db, name)
	if t == nil {
		t = &target{db: db, name: name}
		r.plan = append(r.plan, t)
	}
	t.metadata.Indexes = slices.DeleteFunc(t.metadata.Indexes, func(other bson.Raw) bool { return definition.IndexName(other) == definition.IndexName(index) })
	t.metadata.Indexes = append(t.metadata.Indexes, index)
	return nil
}

// noteIndexes has the indexes made at the end whose building was committed.
func (r *replay) noteIndexes(o *oplog.Operation) error {
	indexes, _ := o.Object.Lookup("indexes").ArrayOK()
	values, err := bson.RawArray(indexes).Values()
	if err != nil {
		return err
	}
	for _, v := range values {
		index, _ := v.DocumentOK()
		if err := r.noteIndex(o.DB, o.Name, index, false); err != nil {
			return err
		}
	}
	return nil
}

func (r *replay) targetNamed(db, name string) *target {
	i := slices.IndexFunc(r.plan, func(t *target) bool { return t.db == db && t.name == name })
	if i < 0 {
		return nil
	}
	return r.plan[i]
}

// indexed returns what holds the indexes of a collection, which are to be made at the end: of a
// time series' buckets that is the time series, and they themselves where servers before 6.0 do not
// say how an index was asked for.
func (r *replay) indexed(db, name string) []*target {
	series := strings.TrimPrefix(name, version.BucketsPrefix)
	var all []*target
	for _, t := range r.plan {
		if t.db == db && (t.name == name || t.name == series) {
			all = append(all, t)
		}
	}
	return all
}

// forgetIndex has an index not made that was dropped, by name or by key.
func (r *replay) forgetIndex(db, name string, command bson.Raw) {
	which := command.Lookup("index")
	for _, t := range r.indexed(db, name) {
		t.metadata.Indexes = slices.DeleteFunc(t.metadata.Indexes, func(index bson.Raw) bool {
			if text, ok := which.StringValueOK(); ok {
				return text == "*" || text == definition.IndexName(index)
			}
			return which.Equal(index.Lookup("key"))
		})
	}
}

// forgetCollections forgets what was to be done at the end about a collection that was dropped, or
// about all of a database.
func (r *replay) forgetCollections(db, name string) {
	series := strings.TrimPrefix(name, version.BucketsPrefix) // which goes with its buckets
	r.plan = slices.DeleteFunc(r.plan, func(t *target) bool {
		return t.db == db && (name == "" || t.name == name || t.name == series)
	})
}

// collMod plays a change of a collection's options, and notes that of an index.
func (r *replay) collMod(ctx context.Context, o *oplog.Operation) error {
	elements, err := o.Object.Elements()
	if err != nil {
		return err
	}
	var rest bson.D
	for _, e := range elements {
		if e.Key() != "index" {
			rest = append(rest, bson.E{Key: e.Key(), Value: e.Value()})
			continue
		}
		change, ok := e.Value().DocumentOK()
		if !ok {
			return errors.New("the change of an index is no document")
		}
		if err := r.changeIndex(o.DB, o.Name, change); err != nil {
			return err
		}
	}
	if len(rest) == 1 {
		return nil
	}
	return r.applyOps(ctx, o, rest)
}

// changeIndex changes an index that is to be made at the end. One that is not known was dropped
// before indexes were listed.
func (r *replay) changeIndex(db, name string, change bson.Raw) error {
	for _, t := range r.indexed(db, name) {
		for i, index := range t.metadata.Indexes {
			if index.Lookup("name").Equal(change.Lookup("name")) || index.Lookup("key").Equal(change.Lookup("keyPattern")) {
				var err error
				t.metadata.Indexes[i], err = changedIndex(index, change)
				return err
			}
		}
	}
	return nil
}

// changedIndex is an index after what a collMod says of it.
func changedIndex(index, change bson.Raw) (bson.Raw, error) {
	var d bson.D
	if err := bson.Unmarshal(index, &d); err != nil {
		return nil, err
	}
	elements, err := change.Elements()
	if err != nil {
		return nil, err
	}
	without := func(key string) {
		d = slices.DeleteFunc(d, func(e bson.E) bool { return e.Key == key })
	}
	for _, e := range elements {
		key := e.Key()
		switch key {
		case "name", "keyPattern":
			continue
		case "forceNonUnique": // no option of an index: it takes one away
			without("unique")
			without("prepareUnique")
			continue
		case "unique": // what was prepared is done
			without("prepareUnique")
		}
		without(key)
		if isSwitch := slices.Contains([]string{"unique", "prepareUnique", "hidden"}, key); !isSwitch || document.True(change, key) { // off is how an index is made
			d = append(d, bson.E{Key: key, Value: e.Value()})
		}
	}
	return bson.Marshal(d)
}
