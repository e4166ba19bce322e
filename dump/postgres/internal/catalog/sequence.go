package catalog

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A sequenceRow is what pg_sequence and pg_depend say of a sequence.
type sequenceRow struct {
	OID                               uint32 `db:"oid"`
	Type                              string
	Start, Increment, Min, Max, Cache int64
	Cycle                             bool
	Table                             uint32 // of the column that owns it; 0: none
	Column                            int16
	Identity                          bool // made by GENERATED … AS IDENTITY
}

// readSequences reads sequences. One that is an identity column's is made with that column's
// property, after its table.
func readSequences(ctx context.Context, c *Database) error {
	rows, err := server.Query[sequenceRow](ctx, c.conn, `
		SELECT s.seqrelid AS oid, format_type(s.seqtypid, NULL) AS type, s.seqstart AS start, s.seqincrement AS increment,
		       s.seqmin AS min, s.seqmax AS max, s.seqcache AS cache, s.seqcycle AS cycle,
		       coalesce(d.refobjid, 0::oid) AS table, coalesce(d.refobjsubid, 0)::int2 AS column, coalesce(d.deptype = 'i', false) AS identity
		FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
		LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.objsubid = 0
		     AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
		WHERE c.relpersistence <> 't'`)
	if err != nil {
		return err
	}
	c.counted("sequences", len(rows), "SELECT count(*) FROM pg_class WHERE relkind = 'S' AND relpersistence <> 't'")
	for _, s := range rows {
		r, owner := c.rels[s.OID], c.rels[s.Table]
		if r == nil || r.state.unmanaged() {
			continue
		}
		if owner == nil || owner.state.unselected() {
			r.define = func(p *script.Printer) { p.Stmt("%s", s.create(r)) }
			continue
		}
		r.goes = true
		column := &owner.columns[s.Column-1]
		if s.Identity {
			// The sequence follows its table's owner.
			r.owner = ""
			r.state = r.state.withTable(owner.state)
			r.define = func(p *script.Printer) { p.Stmt("%s", s.identity(c.srv, r, owner, column)) }
			continue
		}
		r.define = func(p *script.Printer) { p.Stmt("%s", s.create(r)) }
		r.finish = func(p *script.Printer) {
			if !owner.state.hidden() {
				p.Stmt("ALTER SEQUENCE %s OWNED BY %s.%s", r.Name, owner.Name, column.Quoted)
			}
		}
	}
	return nil
}

func (s sequenceRow) create(r *Relation) string {
	var b strings.Builder
	b.WriteString("CREATE ")
	if r.Persistence == "u" {
		b.WriteString("UNLOGGED ")
	}
	b.WriteString("SEQUENCE " + r.Name)
	if s.Type != "bigint" {
		b.WriteString("\n    AS " + s.Type)
	}
	return b.String() + s.options()
}

// identity writes the property of a column that makes its sequence. Before 15 a sequence is never
// unlogged, its table may be, and there is no word for either.
func (s sequenceRow) identity(srv server.Info, r, owner *Relation, column *attribute) string {
	how := "BY DEFAULT"
	if column.Identity == "a" {
		how = "ALWAYS"
	}
	persistence := ""
	if srv.Version >= 150000 && r.Persistence != owner.Persistence {
		persistence = "\n    LOGGED"
		if r.Persistence == "u" {
			persistence = "\n    UNLOGGED"
		}
	}
	alter := strings.Replace(owner.alter(), " ONLY ", " ", 1)
	return fmt.Sprintf("%s ALTER COLUMN %s ADD GENERATED %s AS IDENTITY (\n    SEQUENCE NAME %s%s%s\n)",
		alter, column.Quoted, how, r.Name, persistence, s.options())
}

// options writes the numbers; limits that are the type's own are not written.
func (s sequenceRow) options() string {
	limit := map[string]int64{"smallint": math.MaxInt16, "integer": math.MaxInt32}[s.Type]
	if limit == 0 {
		limit = math.MaxInt64
	}
	low, high := int64(1), limit
	if s.Increment < 0 {
		low, high = -limit-1, -1
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n    START WITH %d\n    INCREMENT BY %d", s.Start, s.Increment)
	if s.Min == low {
		b.WriteString("\n    NO MINVALUE")
	} else {
		fmt.Fprintf(&b, "\n    MINVALUE %d", s.Min)
	}
	if s.Max == high {
		b.WriteString("\n    NO MAXVALUE")
	} else {
		fmt.Fprintf(&b, "\n    MAXVALUE %d", s.Max)
	}
	fmt.Fprintf(&b, "\n    CACHE %d", s.Cache)
	if s.Cycle {
		b.WriteString("\n    CYCLE")
	}
	return b.String()
}
