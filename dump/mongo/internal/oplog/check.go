package oplog

import (
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// An Check refuses entries after which a dump is not what it seems.
type Check struct {
	listed  Scope
	now     Scope           // what there is at the entry, of what is listed or made since
	strange map[string]bool // what was written to and in none of the two, and was not dropped since
}

// NewCheck returns a check of a dump of which nothing is listed yet.
func NewCheck() *Check {
	return &Check{NewScope(), NewScope(), map[string]bool{}}
}

// List takes note of a collection or view that the server listed before the dump.
func (c *Check) List(db, name, kind string) {
	c.listed.Add(db, name, kind)
	c.now.Add(db, name, kind)
}

// Entry refuses the next entry of the oplog if after it the dump is not what it seems.
func (c *Check) Entry(entry bson.Raw) error {
	o, err := Parse(entry)
	if err != nil {
		return err
	}
	return c.operation(o)
}

func (c *Check) operation(o *Operation) error {
	ns := o.Namespace()
	covered := c.now.Covers(o)
	switch o.Deed {
	case Several:
		parts, err := o.Parts()
		if err != nil {
			return err
		}
		for _, part := range parts {
			if err := c.operation(part); err != nil {
				return err
			}
		}
	case ChangeView:
		if o.Op == "d" && (c.listed.views[ns] || c.listed.collections[ns]) {
			return fmt.Errorf("%s was dropped during the dump", shown.Name(ns))
		}
	case CreateCollection:
		delete(c.strange, ns)
	case DropCollection:
		if c.listed.collections[ns] {
			return fmt.Errorf("%s was dropped during the dump", shown.Name(ns))
		}
		delete(c.strange, ns)
	case DropDatabase:
		if c.listed.databases[o.DB] {
			return fmt.Errorf("database %s was dropped during the dump", shown.Name(o.DB))
		}
	default:
		if !covered {
			c.strange[ns] = true
		}
	}
	return nil
}

// Explained refuses an oplog that tells of a collection which is there at the dump's end, and was
// neither listed when the dump began nor made since.
func (c *Check) Explained(db, name, kind string) error {
	ns := db + "." + name
	if c.strange[ns] || kind == "timeseries" && c.strange[db+"."+version.BucketsPrefix+name] {
		return fmt.Errorf("%s was written to during the dump, and the server did not list it when the dump began", shown.Name(ns))
	}
	return nil
}
