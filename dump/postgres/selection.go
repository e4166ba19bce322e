package postgres

import (
	"errors"
	"fmt"
)

// A Selection says which part of a database is dumped. The zero value is all of
// it. The lists hold patterns as psql takes them; a table is anything in
// pg_class that pg_dump would dump: views and sequences too. What a list says of
// a partitioned table holds for its partitions.
//
// With Schemas or Tables a dump holds what they name and the definitions that
// those need (types, functions, extensions, sequences), so that it can be
// restored, but no other table. What needs something that is left out is left
// out with a warning; a table that does is an error, because its rows could not
// be restored.
type Selection struct {
	Schemas          []string // with all that is in them
	ExcludeSchemas   []string // goes before Schemas and Tables
	Tables           []string // schema.table, or table in any schema
	ExcludeTables    []string // goes before Schemas and Tables
	ExcludeTableData []string // tables whose rows are left out; materialized views stay unfilled
	SchemaOnly       bool     // definitions without rows, sequences' states and large objects
	DataOnly         bool     // rows, sequences' states and large objects without definitions
}

// selection is a Selection read.
type selection struct {
	schemas, notSchemas, tables, notTables, notData patterns

	schemaOnly, dataOnly bool
}

func (s Selection) parse() (*selection, error) {
	sel := &selection{schemaOnly: s.SchemaOnly, dataOnly: s.DataOnly}
	for _, list := range []struct {
		what  string
		texts []string
		parts int
		into  *patterns
	}{
		{"schemas", s.Schemas, 1, &sel.schemas},
		{"excluded schemas", s.ExcludeSchemas, 1, &sel.notSchemas},
		{"tables", s.Tables, 2, &sel.tables},
		{"excluded tables", s.ExcludeTables, 2, &sel.notTables},
		{"tables without data", s.ExcludeTableData, 2, &sel.notData},
	} {
		var err error
		if *list.into, err = parsePatterns(list.texts, list.parts); err != nil {
			return nil, fmt.Errorf("%s: %w", list.what, err)
		}
	}
	switch {
	case s.SchemaOnly && s.DataOnly:
		return nil, errors.New("schema only and data only: one of them expected")
	case len(s.Schemas) > 0 && len(s.Tables) > 0:
		return nil, errors.New("schemas and tables: one of them expected; a table's pattern can name its schema: app.*")
	}
	return sel, nil
}

// including tells whether only what is named is dumped.
func (s *selection) including() bool { return len(s.schemas)+len(s.tables) > 0 }

// A presence says what a dump does with an object because of the selection.
type presence int

const (
	chosen  presence = iota // dumped
	unasked                 // not dumped, unless something that is needs it
	barred                  // not dumped
)

// ofSchema judges a schema, and with it what it holds but the tables.
func (c *catalog) ofSchema(name string) presence {
	switch {
	case c.sel.notSchemas.match(c.used, "", name):
		return barred
	case len(c.sel.schemas) > 0 && c.sel.schemas.match(c.used, "", name):
		return chosen
	case c.sel.including():
		return unasked
	}
	return chosen
}

// ofTable judges a table in a schema that was judged already.
func (c *catalog) ofTable(r *relation, schemaName string, schema presence) presence {
	switch {
	case schema == barred || c.sel.notTables.match(c.used, schemaName, r.Raw):
		return barred
	case len(c.sel.tables) == 0:
		return schema
	case c.sel.tables.match(c.used, schemaName, r.Raw):
		return chosen
	}
	return unasked
}

// withoutRows tells whether the table's rows are left out.
func (c *catalog) withoutRows(r *relation) bool {
	return c.sel.notData.match(c.used, c.schemaNames[r.Schema], r.Raw)
}

// checkUsed tells of patterns that fit nothing, in none of the databases.
func (d *dumping) checkUsed() {
	for _, list := range []struct {
		what     string
		patterns patterns
	}{
		{"schema", d.sel.schemas},
		{"table", d.sel.tables},
		{"excluded schema", d.sel.notSchemas},
		{"excluded table", d.sel.notTables},
		{"table without data", d.sel.notData},
	} {
		for _, p := range list.patterns {
			if !d.used[p] {
				d.cfg.Warn("no " + list.what + " fits " + p.text)
			}
		}
	}
}
