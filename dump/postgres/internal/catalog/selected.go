package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// ofSchema judges a schema, and with it what it holds but the tables.
func (c *Database) ofSchema(name string) state {
	switch {
	case c.sel.NotSchemas.Match(c.Used, "", name):
		return barred
	case len(c.sel.Schemas) > 0 && c.sel.Schemas.Match(c.Used, "", name):
		return wanted
	case c.sel.Including():
		return unasked
	}
	return wanted
}

// ofTable judges a table; schema is what its schema makes of it.
func (c *Database) ofTable(r *Relation, schemaName string, schema state) state {
	switch {
	case schema == barred || c.sel.NotTables.Match(c.Used, schemaName, r.Raw):
		return barred
	case len(c.sel.Tables) == 0:
		return schema
	case c.sel.Tables.Match(c.Used, schemaName, r.Raw):
		return wanted
	}
	return unasked
}

// withoutRows tells whether the table's rows are left out.
func (c *Database) withoutRows(r *Relation) bool {
	return c.sel.NotData.Match(c.Used, c.schemaNames[r.Schema], r.Raw)
}

// outside tells whether objects of a kind stand outside schemas, where only a dump of everything,
// or another object's need, takes them in.
func (k kind) outside() bool {
	switch k {
	case kindLanguage, kindTransform, kindExtension, kindCast, kindAccessMethod, kindForeignData, kindForeignServer, kindUserMapping,
		kindLargeObject, kindPublication, kindSubscription, kindEventTrigger:
		return true
	}
	return false
}

// selectRelations judges every relation before any is locked. Partitions follow their tables, and
// sequences the tables that own them.
func selectRelations(ctx context.Context, c *Database) error {
	for _, r := range c.rels {
		schema := c.at[Address{classNamespace, r.Schema}]
		if r.state.unmanaged() { // the system's, or an extension's
			continue
		}
		r.state = c.ofTable(r, c.schemaNames[r.Schema], schema.state.inside())
		r.emptied = c.withoutRows(r)
	}
	type row struct{ Relation, Of uint32 }
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT inhrelid AS relation, inhparent AS of FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relispartition
		UNION ALL
		SELECT objid, refobjid FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
		WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
		ORDER BY 1`)
	if err != nil {
		return err
	}
	of := map[uint32]uint32{}
	for _, row := range rows {
		of[row.Relation] = row.Of
	}
	for oid, r := range c.rels {
		for at := of[oid]; at != 0; at = of[at] {
			if parent := c.rels[at]; parent != nil {
				r.follow(parent)
			}
		}
	}
	return nil
}

// follow gives r what the selection says of the table that it belongs to.
func (r *Relation) follow(parent *Relation) {
	switch {
	case parent.state == barred:
		r.state = barred
	case parent.state == wanted && r.state == unasked:
		r.state = wanted
	}
	r.emptied = r.emptied || parent.emptied && r.Kind != sequence
}

// settleSelection makes a part of a database one that can be restored: it takes in the definitions
// that what was asked for needs, and leaves out what needs something that is left out.
func settleSelection(_ context.Context, c *Database) error {
	c.takeNeeded()
	return c.leaveDependents()
}

// takeNeeded takes in what the dumped objects need, but no table.
func (c *Database) takeNeeded() {
	var visit func(o *object)
	visit = func(o *object) {
		for _, d := range o.deps {
			if d.to.state != unasked || !d.to.needable() {
				continue
			}
			d.to.state = wanted
			if r := c.rels[d.to.OID]; r != nil && r.object == d.to {
				c.Tables = append(c.Tables, r)
			}
			visit(d.to)
		}
	}
	for _, o := range c.objects {
		if !o.state.hidden() {
			visit(o)
		}
	}
	for _, o := range c.objects { // made while its domain was not asked for
		if o.of != nil && o.of.kind == kindType && !o.of.state.unselected() {
			o.state = o.of.state.ofPart()
		}
	}
}

// needable tells whether an object may be dumped because another needs it: definitions, but no
// table, view or other thing that holds rows.
func (o *object) needable() bool { return o.kind < kindTable || o.word == "SEQUENCE" }

// leaveDependents leaves out what cannot be made without something left out. A table's rows are
// never left out that way.
func (c *Database) leaveDependents() error {
	var errs []error
	for again := true; again; {
		again = false
		for _, o := range c.objects {
			i := slices.IndexFunc(o.deps, func(d dependency) bool {
				// A sequence stands by itself without the table that owns it.
				return d.to.state.unselected() && !(o.word == "SEQUENCE" && d.to.kind == kindTable)
			})
			if o.state.hidden() || i < 0 {
				continue
			}
			needed := o.deps[i].to
			what := fmt.Sprintf("%s needs %s, which is left out", o.describe(), needed.describe())
			if o.word == "TABLE" || o.word == "FOREIGN TABLE" {
				errs = append(errs, errors.New(what))
			} else {
				c.warn(what + ": it is left out too")
			}
			o.state = barred
			again = true
		}
	}
	return errors.Join(errs...)
}

// describe names an object for people.
func (o *object) describe() string { return strings.ToLower(o.word) + " " + o.Name }
