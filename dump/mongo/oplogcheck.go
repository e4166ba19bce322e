package mongo

import (
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// An oplogCheck refuses entries after which a dump is not what it seems.
type oplogCheck struct {
	listed  scope
	now     scope           // what there is at the entry, of what is listed or made since
	strange map[string]bool // what was written to and in none of the two, and was not dropped since
}

func newOplogCheck(all []*collection) *oplogCheck {
	c := &oplogCheck{newScope(), newScope(), map[string]bool{}}
	for _, coll := range all {
		c.listed.add(coll.DB, coll.Name, coll.Type)
		c.now.add(coll.DB, coll.Name, coll.Type)
	}
	return c
}

func (c *oplogCheck) entry(entry bson.Raw) error {
	o, err := newOperation(entry)
	if err != nil {
		return err
	}
	return c.operation(o)
}

func (c *oplogCheck) operation(o *operation) error {
	ns := o.namespace()
	covered := c.now.covers(o)
	switch o.deed {
	case several:
		parts, err := o.parts()
		if err != nil {
			return err
		}
		for _, part := range parts {
			if err := c.operation(part); err != nil {
				return err
			}
		}
	case changeView:
		if o.op == "d" && (c.listed.views[ns] || c.listed.collections[ns]) {
			return fmt.Errorf("%s was dropped during the dump", shown.Name(ns))
		}
	case createCollection:
		delete(c.strange, ns)
	case dropCollection:
		if c.listed.collections[ns] {
			return fmt.Errorf("%s was dropped during the dump", shown.Name(ns))
		}
		delete(c.strange, ns)
	case dropDatabase:
		if c.listed.databases[o.db] {
			return fmt.Errorf("database %s was dropped during the dump", shown.Name(o.db))
		}
	default:
		if !covered {
			c.strange[ns] = true
		}
	}
	return nil
}

// explained refuses an oplog that tells of a collection which is there at the
// dump's end, and was neither listed when the dump began nor made since.
func (c *oplogCheck) explained(end []*collection) error {
	for _, coll := range end {
		if c.strange[coll.Namespace()] || coll.Type == "timeseries" && c.strange[coll.DB+"."+version.BucketsPrefix+coll.Name] {
			return fmt.Errorf("%s was written to during the dump, and the server did not list it when the dump began", shown.Name(coll.Namespace()))
		}
	}
	return nil
}
