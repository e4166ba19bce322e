package catalog

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A child that is made of its parents has their columns first. One that had columns before its
// parents got more, or before it became their child, has them in another order, and values of its
// row type that are stored in other tables would change columns. Such a child is made in a mould: a
// table of all its columns in their order, which is its only parent at first. What the child's own
// statement lists is its own then, all else is inherited, as ever; the parents come after, and the
// mould goes, without which what is inherited would be the child's own.

// mouldName is the name of moulds, of which there is only one at a time.
const mouldName = "the next table in the order of its columns"

// ownOrder tells whether the columns are in another order than a child of the parents would have.
func (r *Relation) ownOrder() bool {
	if r.state.hidden() || r.Partition || len(r.parents) == 0 {
		return false
	}
	var made []string
	add := func(name string) {
		if !slices.Contains(made, name) {
			made = append(made, name)
		}
	}
	for _, parent := range r.parents {
		for _, name := range parent.hiddenColumns {
			add(name)
		}
		for i := range parent.columns {
			if a := &parent.columns[i]; !a.Dropped {
				add(a.Raw)
			}
		}
	}
	var own []string
	for i := range r.columns {
		a := &r.columns[i]
		if a.Dropped {
			continue
		}
		own = append(own, a.Raw)
		if a.printed(r) {
			add(a.Raw)
		}
	}
	return !slices.Equal(made, own)
}

// mouldBody writes the columns of the mould with what makes the child's the columns that its
// parents' have to be, and the checks that they pass on to it.
func (r *Relation) mouldBody() string {
	var elements []string
	for i := range r.columns {
		a := &r.columns[i]
		if a.Dropped {
			continue
		}
		s := a.Quoted + " " + *a.Type
		if a.Collation != nil {
			s += " COLLATE " + *a.Collation
		}
		if a.Generated != "" {
			s += a.generation(a.expr)
		}
		switch k := a.notNull; {
		case k != nil && a.inheritsNull:
			s += " CONSTRAINT " + k.Quoted + " NOT NULL"
		case k == nil && a.NotNull && (a.inheritsNull || !a.printed(r)):
			s += " CONSTRAINT " + server.Ident(r.inheritedNotNull(a.Raw)) + " NOT NULL"
		}
		elements = append(elements, s)
	}
	for _, k := range r.checks {
		if !k.Local && r.passedOn(k.Raw) {
			elements = append(elements, "CONSTRAINT "+k.Quoted+" "+k.Def)
		}
	}
	return " (\n    " + strings.Join(elements, ",\n    ") + "\n)"
}

// inheritedNotNull returns the name that a NOT NULL without one has in 18 and later where a column
// has it from a parent: that of the table where it began. The mould's would be named after the
// mould.
func (r *Relation) inheritedNotNull(column string) string {
	for _, parent := range r.parents {
		for i := range parent.columns {
			if a := &parent.columns[i]; !a.Dropped && a.NotNull && a.Raw == column {
				return parent.inheritedNotNull(column)
			}
		}
	}
	return r.Raw + "_" + column + "_not_null"
}

// passedOn tells whether a parent has the check when the child is made, as one does that comes with
// an extension.
func (r *Relation) passedOn(check string) bool {
	return slices.ContainsFunc(r.parents, func(parent *Relation) bool {
		return len(parent.hiddenColumns) > 0 || slices.ContainsFunc(parent.checks, func(k constraint) bool { return k.Raw == check && k.Validated && !k.separate })
	})
}

// readOrders finds the tables that need a mould.
func readOrders(ctx context.Context, c *Database) error {
	if err := c.readHiddenParents(ctx); err != nil {
		return err
	}
	for _, r := range c.Tables {
		if r.ownOrder() {
			r.mould = c.nameMould(r)
		}
	}
	return nil
}

// readHiddenParents reads the columns' names of tables that are parents and not dumped:
// extensions'.
func (c *Database) readHiddenParents(ctx context.Context) error {
	var oids []uint32
	for _, r := range c.Tables {
		for _, parent := range r.parents {
			if len(parent.columns) == 0 && !r.Partition {
				oids = append(oids, parent.Address.OID)
			}
		}
	}
	if len(oids) == 0 {
		return nil
	}
	type row struct {
		Relation uint32
		Names    []string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT attrelid AS relation, array_agg(attname::text ORDER BY attnum) AS names FROM pg_attribute
		WHERE attrelid = ANY ($1) AND attnum > 0 AND NOT attisdropped GROUP BY 1`, oids)
	for _, row := range rows {
		c.rels[row.Relation].hiddenColumns = row.Names
	}
	return err
}

// nameMould returns the name of r's mould: one in r's schema that nothing has.
func (c *Database) nameMould(r *Relation) string {
	schema := c.at[Address{classNamespace, r.Schema}].Name
	for n := 1; ; n++ {
		name := mouldName
		if n > 1 {
			name += " " + strconv.Itoa(n)
		}
		name = schema + "." + server.Ident(name)
		if !slices.ContainsFunc(c.objects, func(o *object) bool { return o.Name == name }) {
			return name
		}
	}
}
