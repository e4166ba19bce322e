package postgres

import (
	"errors"
	"fmt"
	"strings"
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

// unused tells of the patterns that fit nothing, by those that are used.
func (s *selection) unused(used map[*pattern]bool) []string {
	var list []string
	for _, of := range []struct {
		what     string
		patterns patterns
	}{
		{"schema", s.schemas},
		{"table", s.tables},
		{"excluded schema", s.notSchemas},
		{"excluded table", s.notTables},
		{"table without data", s.notData},
	} {
		for _, p := range of.patterns {
			if !used[p] {
				list = append(list, "no "+of.what+" fits "+p.text)
			}
		}
	}
	return list
}

// describe says what the selection asks for, of what it is of: databases that are named, without others, or else of.
func (s *selection) describe(databases, notDatabases patterns, of string) string {
	var what []string
	list := func(name string, ps patterns) {
		if len(ps) > 0 {
			texts := make([]string, len(ps))
			for i, p := range ps {
				texts[i] = p.text
			}
			what = append(what, name+" "+strings.Join(texts, ", "))
		}
	}
	list("schemas", s.schemas)
	list("tables", s.tables)
	if len(databases) > 0 {
		list("databases", databases)
	} else {
		what = append(what, of)
	}
	text := strings.Join(what, " of ")
	what = nil
	list("databases", notDatabases)
	list("schemas", s.notSchemas)
	list("tables", s.notTables)
	if len(what) > 0 {
		text += " without " + strings.Join(what, ", ")
	}
	if s.dataOnly {
		text += ", rows alone"
	}
	return text
}

// holds tells whether a dump of the selection holds something that users made, by what is known of it at a glance: whether
// it is a relation, whether it has rows, and the names of its schema, empty outside of schemas, and of its own.
func (s *selection) holds(relation, rows bool, schema, name string) bool {
	unused := map[*pattern]bool{}
	switch {
	case s.dataOnly && !rows:
		return false
	case schema == "":
		return !s.including() && !(rows && s.schemaOnly)
	case s.notSchemas.match(unused, "", schema):
		return false
	case len(s.schemas) > 0 && !s.schemas.match(unused, "", schema):
		return false
	case relation && s.notTables.match(unused, schema, name):
		return false
	case len(s.tables) > 0 && (!relation || !s.tables.match(unused, schema, name)):
		return false
	}
	return true
}
