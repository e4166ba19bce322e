package catalog

import (
	"context"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readDependencies reads who needs whom from pg_depend, as pg_dump does (getDependencies): columns
// count as their table, and a standalone composite type's hidden relation counts as the type.
func readDependencies(ctx context.Context, c *Database) error {
	type row struct{ Class, Object, RefClass, RefObject uint32 }
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT DISTINCT classid AS class, objid AS object, refclassid AS ref_class, refobjid AS ref_object
		FROM pg_depend WHERE deptype NOT IN ('p', 'e') AND objid >= $1 AND refobjid >= $1
		ORDER BY 1, 2, 3, 4`, server.FirstNormal)
	if err != nil {
		return err
	}
	for _, d := range rows {
		from := Address{d.Class, d.Object}
		o, to := c.at[from], c.at[Address{d.RefClass, d.RefObject}]
		if o == nil || to == nil || o.extension != nil {
			continue // a toast table, say
		}
		if to.extension != nil {
			to = to.extension
		}
		via := c.part(o, to)
		if _, part := o.parts[from]; part {
			via = from
		}
		o.needVia(to, via)
	}
	for _, r := range c.Tables {
		if r.Kind == materializedView {
			c.orderRefresh(r)
		}
	}
	return c.readExtensionDependencies(ctx)
}

// part returns the part of o that has the need for to, where the catalogues do not tell: of a
// function its signature or what else it is made of, of a domain its base or its default. It is o's
// own address for the former.
func (c *Database) part(o, to *object) Address {
	switch to.kind {
	case kindSchema, kindLanguage, kindExtension:
		return o.Address
	}
	if signature, ok := c.signatures[o]; ok {
		if slices.ContainsFunc(signature, func(oid uint32) bool { return c.at[Address{classType, oid}] == to }) {
			return o.Address
		}
		return Address{classBody, o.OID}
	}
	if at := (Address{classDefault, o.OID}); o.parts[at] != nil && to.kind != kindType && to.kind != kindCollation {
		return at
	}
	return o.Address
}

// readExtensionDependencies reads what was declared to go when an extension goes (ALTER … DEPENDS
// ON EXTENSION).
func (c *Database) readExtensionDependencies(ctx context.Context) error {
	type row struct{ Class, Object, Extension uint32 }
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT classid AS class, objid AS object, refobjid AS extension FROM pg_depend
		WHERE deptype = 'x' AND refclassid = 'pg_extension'::regclass ORDER BY 1, 2, 3`)
	for _, d := range rows {
		o, ext := c.at[Address{d.Class, d.Object}], c.at[Address{classExtension, d.Extension}]
		if o == nil || ext == nil {
			continue
		}
		word, name := o.word, o.Name
		if d.Class == classRelation && o.class == classConstraint {
			word, name = "INDEX", c.indexes[d.Object]
		}
		o.declared = append(o.declared, "ALTER "+word+" "+name+" DEPENDS ON EXTENSION "+ext.Name)
	}
	return err
}

// orderRefresh makes a materialized view's refresh come after those of the materialized views it
// reads, directly or through views.
func (c *Database) orderRefresh(r *Relation) {
	refresh := c.at[Address{classRefresh, r.Address.OID}]
	if refresh == nil {
		return
	}
	seen := map[*object]bool{}
	var visit func(o *object)
	visit = func(o *object) {
		for _, d := range o.deps {
			if d.to.kind != kindTable || seen[d.to] {
				continue
			}
			seen[d.to] = true
			if other := c.at[Address{classRefresh, d.to.OID}]; other != nil {
				refresh.need(other)
				continue
			}
			visit(d.to)
		}
	}
	visit(r.object)
}
