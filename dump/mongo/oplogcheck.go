package mongo

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/archive"
)

// An oplogCheck refuses entries after which a dump is not what it seems.
type oplogCheck struct {
	databases   map[string]bool
	collections map[string]bool
}

func newOplogCheck(all []*collection) *oplogCheck {
	c := &oplogCheck{map[string]bool{}, map[string]bool{}}
	for _, coll := range all {
		c.databases[coll.DB] = true
		c.collections[coll.Namespace()] = true
	}
	return c
}

func (c *oplogCheck) entry(entry bson.Raw) error {
	ns, _ := entry.Lookup("ns").StringValueOK()
	if ns == "admin.system.version" {
		return errors.New("the server's compatibility version was changed during the dump")
	}
	op, _ := entry.Lookup("op").StringValueOK()
	object, ok := entry.Lookup("o").DocumentOK()
	db, name, _ := strings.Cut(ns, ".")
	if name == viewsName {
		return c.view(op, entry, object)
	}
	if op != "c" || !ok {
		return nil
	}
	first, err := object.IndexErr(0)
	if err != nil {
		return nil
	}
	name, _ = first.Value().StringValueOK()
	switch first.Key() {
	case "renameCollection":
		to, _ := object.Lookup("to").StringValueOK()
		return fmt.Errorf("%s was renamed to %s during the dump", shown(name), shown(to))
	case "importCollection":
		return fmt.Errorf("%s was imported during the dump", shown(db+"."+name))
	case "drop":
		if c.collections[db+"."+name] {
			return fmt.Errorf("%s was dropped during the dump", shown(db+"."+name))
		}
	case "dropDatabase":
		if c.databases[db] {
			return fmt.Errorf("database %s was dropped during the dump", shown(db))
		}
	case "create":
		if db == "config" && slices.Contains(reshardingCollections, name) {
			return errors.New("a resharding began during the dump")
		}
	case "applyOps":
		entries, _ := first.Value().ArrayOK()
		nested, _ := bson.RawArray(entries).Values()
		for _, v := range nested {
			if inner, ok := v.DocumentOK(); ok {
				if err := c.entry(inner); err != nil {
					return err
				}
			}
		}
	default:
		if db != "config" && !strings.HasPrefix(db, internalPrefix) && !replayable(first.Key()) {
			return fmt.Errorf("what was done to %s during the dump cannot be repeated: %s", shown(db), shown(first.Key()))
		}
	}
	return nil
}

// view refuses what cannot be told from a view's entry alone.
func (c *oplogCheck) view(op string, entry, object bson.Raw) error {
	id, _ := object.Lookup("_id").StringValueOK()
	on, _ := object.Lookup("viewOn").StringValueOK()
	switch {
	case op == "i" && strings.HasPrefix(on, archive.BucketsPrefix):
		return fmt.Errorf("the time series %s was made during the dump", shown(id))
	case op == "u":
		id, _ = entry.Lookup("o2", "_id").StringValueOK()
		return fmt.Errorf("the view %s was changed during the dump", shown(id))
	case op == "d" && c.collections[id]:
		return fmt.Errorf("%s was dropped during the dump", shown(id))
	}
	return nil
}
