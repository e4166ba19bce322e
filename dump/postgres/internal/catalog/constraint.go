package catalog

import (
	"context"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A constraint is a row of pg_constraint that is dumped by itself or within its table or domain.
type constraint struct {
	OID       uint32 `db:"oid"`
	Relation  uint32
	Domain    uint32
	Raw       string
	Quoted    string
	Type      string // c check, f foreign key, p, u, x with an index, n not null
	Local     bool
	Inherits  bool // passed on to children
	Validated bool
	Parent    uint32 // the constraint of a partitioned table that this one is a copy of
	Refers    uint32 // of a foreign key: the table that it refers to
	Column    *int16 // of a NOT NULL
	Def       string

	separate bool
}

const constraintColumns = `
	SELECT oid, conrelid AS relation, contypid AS domain, conname AS raw, quote_ident(conname) AS quoted, contype::text AS type,
	       conislocal AS local, NOT connoinherit AS inherits, convalidated AS validated, conparentid AS parent, confrelid AS refers,
	       CASE WHEN contype = 'n' THEN conkey[1] END AS column, coalesce(pg_get_constraintdef(oid), '') AS def
	FROM pg_constraint `

// readConstraints reads checks and foreign keys, and the NOT NULLs where they are constraints (18).
// Those with an index are read with it.
func readConstraints(ctx context.Context, c *Database) error {
	rows, err := server.Query[constraint](ctx, c.conn, constraintColumns+`
		WHERE conrelid = ANY ($1) AND contype IN ('c', 'f', 'n') ORDER BY conrelid, conname`, c.relationOIDs())
	if err != nil {
		return err
	}
	for _, kind := range []struct{ letter, what, sql string }{
		{"c", "checks", "SELECT coalesce(sum(relchecks), 0) FROM pg_class WHERE oid = ANY ($2)"},
		{"f", "foreign keys", "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY ($2)"},
	} {
		n := 0
		for _, k := range rows {
			if k.Type == kind.letter {
				n++
			}
		}
		c.counted(kind.what, n, kind.sql)
	}
	for _, k := range rows {
		r := c.rels[k.Relation]
		if k.Def == "" {
			return gone("constraint", k.Quoted+" on "+r.Name)
		}
		switch k.Type {
		case "c":
			r.checks = append(r.checks, k)
		case "f":
			if k.Parent == 0 {
				c.foreignKey(r, k)
			}
		case "n":
			c.notNull(r, k)
		}
	}
	for _, oid := range c.relationOIDs() {
		r := c.rels[oid]
		for i := range r.checks {
			c.ownCheck(r, &r.checks[i])
		}
		for i := range r.columns {
			c.ownNotNull(r, &r.columns[i])
		}
	}
	return nil
}

// ownCheck ties a check to its table: within CREATE TABLE, or after the rows where the rows are not
// known to hold it (NOT VALID), or where a cycle demands it.
func (c *Database) ownCheck(r *Relation, k *constraint) {
	at := Address{classConstraint, k.OID}
	if !k.Validated && k.Local {
		c.objects = append(c.objects, c.separateCheck(r, k))
		return
	}
	c.at[at] = r.object
	if k.Local {
		c.commentOn(r.object, at, 0, "CONSTRAINT "+k.Quoted+" ON "+r.Name)
		r.part(at, func() *object { return c.separateCheck(r, k) })
	}
}

func (c *Database) separateCheck(r *Relation, k *constraint) *object {
	k.separate = true
	o := &object{Address: Address{classConstraint, k.OID}, kind: kindConstraint, word: "CONSTRAINT", Name: k.Quoted + " ON " + r.Name, state: r.state.ofPart()}
	o.define = func(p *script.Printer) {
		// Not ONLY: children inherit it.
		p.Stmt("ALTER %s %s ADD CONSTRAINT %s %s", r.word, r.Name, k.Quoted, k.Def)
	}
	o.undo = r.dropConstraint(k.Quoted)
	o.need(r.object)
	c.at[o.Address] = o
	c.commentOn(o, o.Address, 0, "CONSTRAINT "+o.Name)
	return o
}

// dropConstraint is the statement that drops a constraint, wherever there is one.
func (r *Relation) dropConstraint(name string) string {
	return "ALTER " + r.word + " IF EXISTS " + r.Name + " DROP CONSTRAINT IF EXISTS " + name
}

func (c *Database) foreignKey(r *Relation, k constraint) {
	o := c.addOn(r, &object{Address: Address{classConstraint, k.OID}, kind: kindForeignKey, word: "CONSTRAINT"}, k.Quoted)
	o.undo = r.dropConstraint(k.Quoted)
	if to := c.rels[k.Refers]; to != nil && to != r {
		r.refers = append(r.refers, to)
	}
	only := "ONLY "
	if r.Kind == partitionedTable {
		only = "" // one on a partitioned table always holds for its partitions
	}
	o.define = func(p *script.Printer) {
		p.Stmt("ALTER %s %s%s\n    ADD CONSTRAINT %s %s", r.word, only, r.Name, k.Quoted, k.Def)
	}
}

// notNull notes the name of a column's NOT NULL, which is a constraint since 18.
func (c *Database) notNull(r *Relation, k constraint) {
	at := Address{classConstraint, k.OID}
	c.at[at] = r.object
	if k.Column == nil {
		return
	}
	a := &r.columns[*k.Column-1]
	if !k.Validated {
		a.NotNull = false
		if k.Local {
			c.objects = append(c.objects, c.separateCheck(r, &k))
		}
		return
	}
	a.notNull = &k
}

// ownNotNull ties a NOT NULL to its table. A child's that no parent has, or has only as NOT VALID,
// is written as the child's own (flagInhAttrs in pg_dump's common.c), and so is the name of one
// with a comment.
func (c *Database) ownNotNull(r *Relation, a *attribute) {
	k := a.notNull
	if k == nil {
		return
	}
	inherited, named := false, false
	for _, parent := range r.parents {
		for _, from := range parent.columns {
			if !from.Dropped && from.Raw == a.Raw && from.notNull != nil {
				inherited, named = true, named || from.notNull.Raw == k.Raw
			}
		}
	}
	a.inheritsNull = !k.Local && inherited
	at := Address{classConstraint, k.OID}
	comments := len(r.comments)
	if !a.inheritsNull || named {
		c.commentOn(r.object, at, 0, "CONSTRAINT "+k.Quoted+" ON "+r.Name)
	}
	if k.Raw != r.Raw+"_"+a.Raw+"_not_null" || len(r.comments) > comments {
		a.notNullName = k.Quoted
	}
}
