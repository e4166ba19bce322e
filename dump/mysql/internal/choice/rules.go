// Package choice is what of a dump is loaded: patterns of tables' names, the one database of a dump
// of several, definitions or rows alone. It reads a dump's items (see dump.Item) and hands on those
// that were chosen, as the items of a smaller dump, which the load takes as it takes any.
//
// What it needs to know of the target it asks the load. What stands in the way there, and what is
// dropped, is for package load.
package choice

import (
	"errors"
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// Rules are a dump.Choice read.
type Rules struct {
	tables, notTables patterns

	SchemaOnly, DataOnly bool
	From                 string // the one of a dump of several that is loaded; "": all
}

// Parse reads a choice. It returns nil where all of a dump is chosen.
func Parse(c dump.Choice) (r *Rules, err error) {
	switch {
	case c.All():
		return nil, nil
	case len(c.Schemas)+len(c.ExcludeSchemas) > 0:
		return nil, errors.New("schemas: there are none in MySQL and MariaDB; name tables by their database, app.*, or one database of a dump of several")
	case c.SchemaOnly && c.DataOnly:
		return nil, errors.New("schema only and data only: one of them expected")
	}
	r = &Rules{SchemaOnly: c.SchemaOnly, DataOnly: c.DataOnly, From: c.FromDatabase}
	if r.tables, err = parsePatterns(c.Tables); err != nil {
		return nil, fmt.Errorf("tables: %w", err)
	}
	if r.notTables, err = parsePatterns(c.ExcludeTables); err != nil {
		return nil, fmt.Errorf("excluded tables: %w", err)
	}
	return r, nil
}

// Including tells whether only what is named comes, with what belongs to it.
func (r *Rules) Including() bool { return len(r.tables) > 0 }

// Narrows tells whether some tables come and others do not.
func (r *Rules) Narrows() bool { return len(r.tables)+len(r.notTables) > 0 }

// Takes tells whether a table, view or sequence of that name is chosen. The database is the one
// that the dump has it in, empty in a dump of one.
func (r *Rules) Takes(database, name string) bool { return r.takes(nil, database, name) }

// InAnyCase are the same rules for names whose letters may be in another case than in the dump.
// FromDatabase is a name of the dump's all the same.
func (r *Rules) InAnyCase() *Rules {
	folded := *r
	folded.tables, folded.notTables = r.tables.inAnyCase(), r.notTables.inAnyCase()
	return &folded
}

func (r *Rules) takes(used map[*pattern]bool, database, name string) bool {
	if !r.inScope(database) {
		return false
	}
	included := !r.Including() || r.tables.fit(used, database, name)
	return !r.notTables.fit(used, database, name) && included
}

// inScope tells whether anything of a database is chosen, as far as that goes by its name.
func (r *Rules) inScope(database string) bool { return r.From == "" || r.From == database }

// MayHold tells whether a database of a dump of several may have what is chosen.
func (r *Rules) MayHold(database string) bool {
	return r.inScope(database) && (!r.Including() || slices.ContainsFunc(r.tables, func(p *pattern) bool {
		return p.database == nil || p.database.MatchString(database)
	}))
}

// namesDatabases tells whether a pattern names one, and so nothing in a dump that does not name its
// own.
func (r *Rules) namesDatabases() (text string, ok bool) {
	for _, p := range slices.Concat(r.tables, r.notTables) {
		if p.database != nil {
			return p.text, true
		}
	}
	return "", false
}

// Wants tells whether a load may need that part of a dump: all definitions, as what is chosen is
// found in them, and what is of a table by its name. Rows that nobody loads are passed over.
func (r *Rules) Wants(p dump.Part) bool {
	if p.Kind != dump.Rows && p.Kind != dump.AfterRows {
		return true
	}
	database, name, ok := tableOf(p.Name)
	switch {
	case !ok: // of a database, or of all
		return true
	case p.Kind == dump.Rows && r.SchemaOnly:
		return false
	}
	return r.Takes(database, name)
}

// tableOf reads a table's name as a manifest has it: `t`, or `db`.`t` in a dump of several.
func tableOf(qualified string) (database, name string, ok bool) {
	first, rest, ok := quote.CutName(qualified)
	if !ok || rest == "" {
		if !ok {
			return "", "", false
		}
		return "", quote.Unquoted(first), true
	}
	if rest[0] != '.' {
		return "", "", false
	}
	second, rest, ok := quote.CutName(rest[1:])
	if !ok || rest != "" {
		return "", "", false
	}
	return quote.Unquoted(first), quote.Unquoted(second), true
}
