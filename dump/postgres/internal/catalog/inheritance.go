package catalog

import (
	"cmp"
	"context"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readInheritance reads who inherits from whom, and makes the objects that attach partitions to
// their tables.
func readInheritance(ctx context.Context, c *Database) error {
	type keyRow struct {
		Relation uint32
		Key      *string
		Scatters bool
	}
	keys, err := server.Query[keyRow](ctx, c.conn, `
		SELECT partrelid AS relation, pg_get_partkeydef(partrelid) AS key,
		       EXISTS (SELECT FROM pg_opclass o JOIN pg_am a ON a.oid = opcmethod
		               WHERE o.oid = ANY (partclass::oid[]) AND amname = 'hash' AND opcname = 'enum_ops' AND opcnamespace = 'pg_catalog'::regnamespace) AS scatters
		FROM pg_partitioned_table`)
	if err != nil {
		return err
	}
	for _, row := range keys {
		if r := c.rels[row.Relation]; r != nil && row.Key != nil {
			r.key, r.scatters = *row.Key, row.Scatters
		}
	}
	type row struct {
		Child, Parent uint32
		Bound         *string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT i.inhrelid AS child, i.inhparent AS parent,
		       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS bound
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE c.relkind IN ('r', 'p', 'f')
		ORDER BY i.inhrelid, i.inhseqno`)
	if err != nil {
		return err
	}
	c.counted("children of tables", len(rows), "SELECT count(*) FROM pg_inherits WHERE inhrelid IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p', 'f'))")
	for _, row := range rows {
		r, parent := c.rels[row.Child], c.rels[row.Parent]
		if r == nil || parent == nil { // temporary tables
			continue
		}
		r.parents = append(r.parents, parent)
		if !r.Partition {
			r.need(parent.object)
			continue
		}
		if row.Bound == nil {
			return gone("partition", r.Name)
		}
		c.attach(r, parent, *row.Bound)
	}
	return nil
}

// Into returns the table that r's rows are loaded into: itself, or what it is a part of where that
// has to find each row's place again (forcePartitionRootLoad in pg_dump.c).
func (r *Relation) Into() *Relation {
	scattered, root := false, r
	for root.Partition && len(root.parents) == 1 && !root.parents[0].state.hidden() {
		root = root.parents[0]
		scattered = scattered || root.scatters
	}
	if scattered {
		return root
	}
	return r
}

// attach makes the object that attaches partition r. Partitions are created as tables of their own
// first: it keeps their columns' order and their own properties as they are.
func (c *Database) attach(r, parent *Relation, bound string) {
	o := &object{
		Address: Address{class: classInherits, OID: r.Address.OID}, kind: kindTableAttach, Name: r.Name, word: "partition",
		state: cmp.Or(r.state.ofPart(), parent.state.ofPart()), // wanted where both are
	}
	o.define = func(p *script.Printer) {
		// ONLY: what attaching finds in the parent's indexes is attached by itself later.
		p.Stmt("ALTER TABLE ONLY %s ATTACH PARTITION %s %s", parent.Name, r.Name, bound)
	}
	o.need(r.object)
	o.need(parent.object)
	c.register(o)
}

// inherit compares a child's columns with its parents': a NOT NULL that comes from a parent is not
// repeated, a default that the child does not have is taken from it. A generation expression is not
// repeated; since 16 a child may have its own (flagInhAttrs in pg_dump's common.c).
func (c *Database) inherit(r *Relation) {
	if r.state.hidden() || len(r.parents) == 0 {
		return
	}
	for i := range r.columns {
		a := &r.columns[i]
		if a.Dropped {
			continue
		}
		inheritsDefault, inheritsGenerated, ownGenerated := false, false, false
		for _, parent := range r.parents {
			j := slices.IndexFunc(parent.columns, func(p attribute) bool { return !p.Dropped && p.Raw == a.Raw })
			if j < 0 {
				continue
			}
			from := &parent.columns[j]
			a.inheritsNull = a.inheritsNull || from.NotNull
			inheritsDefault = inheritsDefault || from.expr != "" && from.Generated == ""
			inheritsGenerated = inheritsGenerated || from.Generated != ""
			ownGenerated = ownGenerated || from.Generated != "" && from.expr != a.expr && c.srv.Version >= 160000
		}
		if inheritsDefault && a.expr == "" {
			a.value = "NULL"
			if !a.printed(r) {
				c.objects = append(c.objects, c.separateDefault(r, a, Address{classAttrDef, 0}))
			}
		}
		if inheritsGenerated && !ownGenerated && !r.Partition {
			a.value = ""
		}
	}
}
