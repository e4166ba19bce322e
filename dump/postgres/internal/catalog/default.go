package catalog

import (
	"context"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readDefaults reads DEFAULT and GENERATED expressions, and finds what children have from their
// parents.
func readDefaults(ctx context.Context, c *Database) error {
	type row struct {
		OID, Relation uint32
		Num           int16
		Expr          *string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT oid, adrelid AS relation, adnum AS num, pg_get_expr(adbin, adrelid) AS expr
		FROM pg_attrdef WHERE adrelid = ANY ($1) ORDER BY adrelid, adnum`, c.relationOIDs())
	if err != nil {
		return err
	}
	c.counted("defaults", len(rows), "SELECT count(*) FROM pg_attribute WHERE atthasdef AND attrelid = ANY ($2)")
	for _, row := range rows {
		r := c.rels[row.Relation]
		a := &r.columns[row.Num-1]
		if a.Dropped {
			continue
		}
		if row.Expr == nil {
			return gone("default of "+a.Quoted+" in", r.Name)
		}
		a.expr, a.value = *row.Expr, *row.Expr
		c.ownDefault(r, a, Address{classAttrDef, row.OID})
	}
	for _, oid := range c.relationOIDs() {
		c.inherit(c.rels[oid])
	}
	return nil
}

// ownDefault ties a default to its table: within CREATE TABLE where that lists the column, else, or
// where a cycle demands it, as a statement after it. A generated column's expression has no
// statement of its own.
func (c *Database) ownDefault(r *Relation, a *attribute, at Address) {
	if a.Generated == "" && (r.Kind == view || !a.printed(r)) {
		c.objects = append(c.objects, c.separateDefault(r, a, at))
		return
	}
	c.at[at] = r.object
	if a.Generated == "" {
		r.part(at, func() *object { return c.separateDefault(r, a, at) })
	}
}

// separateDefault makes an object of a default.
func (c *Database) separateDefault(r *Relation, a *attribute, at Address) *object {
	a.separate = true
	o := &object{Address: at, kind: kindDefault, word: "default of", Name: r.Name + "." + a.Quoted, state: r.state.ofPart()}
	o.undo = "ALTER " + r.word + " IF EXISTS " + r.Name + " ALTER COLUMN " + a.Quoted + " DROP DEFAULT"
	o.define = func(p *script.Printer) { p.Stmt("%s ALTER COLUMN %s SET DEFAULT %s", r.alter(), a.Quoted, a.value) }
	o.need(r.object)
	c.at[at] = o
	return o
}
