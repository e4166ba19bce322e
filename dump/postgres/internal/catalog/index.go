package catalog

import (
	"context"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

type indexRow struct {
	OID        uint32 `db:"oid"`
	Relation   uint32
	Name       string // quoted
	Qualified  string
	Definition *string // of one that no constraint stands on
	Method     string
	Options    []string
	Clustered  bool
	Identity   bool // the table's replica identity
	Parent     uint32
	Tablespace *string
	Columns    []int16 // with a statistics target of their own
	Targets    []int16 // theirs
	Computed   bool    // it has expressions or a condition
	Constraint uint32  // 0: a plain index
	ConName    *string
	ConDef     *string
}

// readIndexes reads indexes and the constraints that stand on one. Indexes of partitions are made
// by themselves and then attached.
func readIndexes(ctx context.Context, c *Database) error {
	rows, err := server.Query[indexRow](ctx, c.conn, `
		SELECT t.oid, i.indrelid AS relation, quote_ident(t.relname) AS name, quote_ident(n.nspname) || '.' || quote_ident(t.relname) AS qualified,
		       CASE WHEN k.oid IS NULL THEN pg_get_indexdef(t.oid) END AS definition, am.amname::text AS method, t.reloptions AS options, i.indisclustered AS clustered, i.indisreplident AS identity,
		       coalesce(inh.inhparent, 0::oid) AS parent, quote_ident(ts.spcname) AS tablespace,
		       st.columns, st.targets,
		       i.indexprs IS NOT NULL OR i.indpred IS NOT NULL AS computed,
		       coalesce(k.oid, 0::oid) AS constraint, quote_ident(k.conname) AS con_name, pg_get_constraintdef(k.oid) AS con_def
		FROM pg_index i
		JOIN pg_class t ON t.oid = i.indexrelid
		JOIN pg_namespace n ON n.oid = t.relnamespace
		JOIN pg_class r ON r.oid = i.indrelid
		JOIN pg_am am ON am.oid = t.relam
		LEFT JOIN pg_tablespace ts ON ts.oid = t.reltablespace
		LEFT JOIN pg_constraint k ON k.conrelid = i.indrelid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
		LEFT JOIN pg_inherits inh ON inh.inhrelid = t.oid
		LEFT JOIN (SELECT attrelid, array_agg(attnum ORDER BY attnum) AS columns, array_agg(attstattarget::int2 ORDER BY attnum) AS targets
		           FROM pg_attribute WHERE attnum > 0 AND attstattarget >= 0 GROUP BY attrelid) st ON st.attrelid = t.oid
		WHERE i.indrelid = ANY ($1) AND (i.indisvalid OR r.relkind = 'p') AND i.indisready
		ORDER BY t.oid`, c.relationOIDs())
	if err != nil {
		return err
	}
	// Invalid ones are what an interrupted CREATE INDEX CONCURRENTLY has left; of a partitioned
	// table's, what is not attached yet.
	c.counted("indexes", len(rows), `SELECT count(*) FROM pg_index WHERE indrelid = ANY ($2) AND indisready
		AND (indisvalid OR indrelid IN (SELECT oid FROM pg_class WHERE relkind = 'p'))`)
	for _, x := range rows {
		c.indexes[x.OID] = x.Qualified
		r := c.rels[x.Relation]
		definition := x.Definition
		if x.Constraint != 0 {
			definition = x.ConDef
		}
		if definition == nil {
			return gone("index", x.Qualified)
		}
		if slices.Contains(ownIndexMethods, x.Method) {
			if kept := indexOptions.only(x.Options, x.Qualified, c.warn); len(kept) < len(x.Options) {
				*definition = withoutOptions(*definition, x.Options, kept)
			}
		}
		c.addIndex(r, x)
	}
	for _, x := range rows {
		if parent := c.at[Address{classRelation, x.Parent}]; x.Parent != 0 && parent != nil {
			c.attachIndex(x, parent)
		}
	}
	return nil
}

// addIndex makes the object of an index, or of the constraint it serves, which is then found under
// both addresses.
func (c *Database) addIndex(r *Relation, x indexRow) {
	var o *object
	if x.Constraint == 0 {
		o = c.add(&object{Address: Address{class: classRelation, OID: x.OID}, kind: kindIndex, word: "INDEX"}, header{OID: x.OID, Name: x.Qualified})
		o.need(r.object)
	} else {
		o = c.addOn(r, &object{Address: Address{classConstraint, x.Constraint}, kind: kindConstraint, word: "CONSTRAINT"}, *x.ConName)
		c.at[Address{classRelation, x.OID}] = o
		c.commentOn(o, Address{classRelation, x.OID}, 0, "INDEX "+x.Qualified)
		o.undo = r.dropConstraint(*x.ConName)
	}
	o.state = r.state.ofPart()
	o.built, o.computed = r, x.Computed
	o.define = func(p *script.Printer) {
		if x.Tablespace != nil {
			p.Stmt("SET default_tablespace = %s", *x.Tablespace)
		}
		if x.Constraint == 0 {
			p.Defined(*x.Definition, "CREATE INDEX ", "CREATE UNIQUE INDEX ")
		} else {
			p.Stmt("%s\n    ADD CONSTRAINT %s %s", r.alter(), *x.ConName, *x.ConDef)
		}
		if x.Tablespace != nil {
			p.Stmt("SET default_tablespace = ''")
		}
		if x.Clustered {
			p.Stmt("ALTER %s %s CLUSTER ON %s", r.word, r.Name, x.Name)
		}
		for i, column := range x.Columns {
			p.Stmt("ALTER INDEX %s ALTER COLUMN %d SET STATISTICS %d", x.Qualified, column, x.Targets[i])
		}
		if x.Identity {
			p.Stmt("%s REPLICA IDENTITY USING INDEX %s", r.alter(), x.Name)
		}
	}
}

// attachIndex makes the object that attaches a partition's index to that of its table.
func (c *Database) attachIndex(x indexRow, parent *object) {
	child := c.at[Address{classRelation, x.OID}]
	child.goes = true
	// In the catalogues the parent depends on nothing of the child and the child on the parent; the
	// statements need them the other way round.
	child.drop(parent)
	o := &object{Address: Address{classIndexAttach, x.OID}, kind: kindIndexAttach, word: "partition", Name: x.Qualified, state: child.state.ofPart()}
	o.define = func(p *script.Printer) {
		p.Stmt("ALTER INDEX %s ATTACH PARTITION %s", c.indexes[x.Parent], x.Qualified)
	}
	o.need(child)
	o.need(parent)
	c.register(o)
}
