package dump

// A Choice says which part of a dump a load takes. The zero value: all of it. Patterns are those of
// the engine's own settings for dumps; what has no schemas has no patterns of them.
//
// What a chosen table needs comes with it: types, sequences, functions of its defaults, and its
// indexes, triggers, comments and privileges. What points at a table that is not there is left out,
// with a warning that names it.
type Choice struct {
	Tables         []string // with what belongs to them
	ExcludeTables  []string // goes before Tables and Schemas
	Schemas        []string // with all that is in them
	ExcludeSchemas []string // goes before Tables and Schemas
	SchemaOnly     bool     // definitions without rows
	DataOnly       bool     // rows without definitions, into tables that are there
	FromDatabase   string   // the one of a dump of several that is taken, by its name there; empty: all
}

// All tells whether a load takes all of a dump.
func (c Choice) All() bool {
	return len(c.Tables)+len(c.ExcludeTables)+len(c.Schemas)+len(c.ExcludeSchemas) == 0 && !c.SchemaOnly && !c.DataOnly && c.FromDatabase == ""
}
