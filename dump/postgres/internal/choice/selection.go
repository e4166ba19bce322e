package choice

import (
	"errors"
	"fmt"
	"strings"
)

// A Selection says which part of a database is dumped. The zero value is all of it. The lists hold
// patterns as psql takes them; a table is anything in pg_class that pg_dump would dump: views and
// sequences too. What a list says of a partitioned table holds for its partitions.
//
// With Schemas or Tables a dump holds what they name and the definitions that those need (types,
// functions, extensions, sequences), so that it can be restored, but no other table. What needs
// something that is left out is left out with a warning; a table that does is an error, because its
// rows could not be restored.
type Selection struct {
	Schemas          []string // with all that is in them
	ExcludeSchemas   []string // goes before Schemas and Tables
	Tables           []string // schema.table, or table in any schema
	ExcludeTables    []string // goes before Schemas and Tables
	ExcludeTableData []string // tables whose rows are left out; materialized views stay unfilled
	SchemaOnly       bool     // definitions without rows, sequences' states and large objects
	DataOnly         bool     // rows, sequences' states and large objects without definitions
}

// Rules is a Selection read.
type Rules struct {
	Schemas, NotSchemas, Tables, NotTables, NotData Patterns

	SchemaOnly, DataOnly bool
}

func (s Selection) Parse() (*Rules, error) {
	sel := &Rules{SchemaOnly: s.SchemaOnly, DataOnly: s.DataOnly}
	for _, list := range []struct {
		what  string
		texts []string
		parts int
		into  *Patterns
	}{
		{"schemas", s.Schemas, 1, &sel.Schemas},
		{"excluded schemas", s.ExcludeSchemas, 1, &sel.NotSchemas},
		{"tables", s.Tables, 2, &sel.Tables},
		{"excluded tables", s.ExcludeTables, 2, &sel.NotTables},
		{"tables without data", s.ExcludeTableData, 2, &sel.NotData},
	} {
		var err error
		if *list.into, err = ParsePatterns(list.texts, list.parts); err != nil {
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

// Including tells whether only what is named is dumped.
func (s *Rules) Including() bool { return len(s.Schemas)+len(s.Tables) > 0 }

// Unused tells of the patterns that fit nothing, by those that are used.
func (s *Rules) Unused(used map[*Pattern]bool) []string {
	var list []string
	for _, of := range []struct {
		what     string
		patterns Patterns
	}{
		{"schema", s.Schemas},
		{"table", s.Tables},
		{"excluded schema", s.NotSchemas},
		{"excluded table", s.NotTables},
		{"table without data", s.NotData},
	} {
		for _, p := range of.patterns {
			if !used[p] {
				list = append(list, "no "+of.what+" fits "+p.Text)
			}
		}
	}
	return list
}

// Describe says what the selection asks for, of what it is of: databases that are named, without
// others, or else of.
func (s *Rules) Describe(databases, notDatabases Patterns, of string) string {
	var what []string
	list := func(name string, ps Patterns) {
		if len(ps) > 0 {
			texts := make([]string, len(ps))
			for i, p := range ps {
				texts[i] = p.Text
			}
			what = append(what, name+" "+strings.Join(texts, ", "))
		}
	}
	list("schemas", s.Schemas)
	list("tables", s.Tables)
	if len(databases) > 0 {
		list("databases", databases)
	} else {
		what = append(what, of)
	}
	text := strings.Join(what, " of ")
	what = nil
	list("databases", notDatabases)
	list("schemas", s.NotSchemas)
	list("tables", s.NotTables)
	if len(what) > 0 {
		text += " without " + strings.Join(what, ", ")
	}
	if s.DataOnly {
		text += ", rows alone"
	}
	return text
}

// Holds tells whether a dump of the selection holds something that users made, by what is known of
// it at a glance: whether it is a relation, whether it has rows, and the names of its schema, empty
// outside of schemas, and of its own.
func (s *Rules) Holds(relation, rows bool, schema, name string) bool {
	unused := map[*Pattern]bool{}
	switch {
	case s.DataOnly && !rows:
		return false
	case schema == "":
		return !s.Including() && !(rows && s.SchemaOnly)
	case s.NotSchemas.Match(unused, "", schema):
		return false
	case len(s.Schemas) > 0 && !s.Schemas.Match(unused, "", schema):
		return false
	case relation && s.NotTables.Match(unused, schema, name):
		return false
	case len(s.Tables) > 0 && (!relation || !s.Tables.Match(unused, schema, name)):
		return false
	}
	return true
}
