package postgres

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A dumping is one Dump under way. What it writes is held back until something
// is found that a dump holds: of a server that may be in its last database.
type dumping struct {
	*Source
	w    io.Writer
	held []byte // nil once something was found
	full bool   // something was found

	told  map[string]bool   // what was warned of once for all databases
	used  map[*pattern]bool // the selection's patterns that fit something, in any database
	there []string          // tables that nobody asked for, while nothing was found
}

func (s *Source) newDumping(w io.Writer) *dumping {
	return &dumping{Source: s, w: w, used: map[*pattern]bool{}, told: map[string]bool{}, full: s.cfg.AllowEmpty}
}

// Write implements io.Writer.
func (d *dumping) Write(p []byte) (int, error) {
	if !d.full {
		d.held = append(d.held, p...)
		return len(p), nil
	}
	if len(d.held) > 0 {
		held := d.held
		d.held = nil
		if _, err := d.w.Write(held); err != nil {
			return 0, err
		}
	}
	return d.w.Write(p)
}

// look finds out whether the dump holds anything of a database.
func (d *dumping) look(c *catalog) {
	switch {
	case d.full:
	case slices.ContainsFunc(c.objects, func(o *object) bool { return o.counts() && d.sel.prints(o) }):
		d.full = true
	default:
		d.there = append(d.there, c.unasked()...)
	}
}

// counts tells whether an object makes a dump one that is not empty: it is
// dumped, and not every new database has it.
func (o *object) counts() bool {
	return !o.hidden && (o.define != nil && (o.kind != kindSchema || o.name != "public") || o.kind == kindDefaultACL && len(o.grants) > 0 || o.rows != nil)
}

// unasked names the tables that are there and not in the dump.
func (c *catalog) unasked() []string {
	var list []string
	for _, r := range c.rels {
		schema := c.at[address{classNamespace, r.Schema}]
		if schema != nil && !schema.system && r.extension == nil {
			list = append(list, c.schemaNames[r.Schema]+"."+r.Raw)
		}
	}
	slices.Sort(list)
	return list
}

// asked says what the configuration asks for.
func (s *Source) asked() string {
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
	list("schemas", s.sel.schemas)
	list("tables", s.sel.tables)
	switch {
	case len(s.databases) > 0:
		list("databases", s.databases)
	case s.cfg.AllDatabases:
		what = append(what, "all databases")
	default:
		what = append(what, fmt.Sprintf("database %+q", s.conn.Database))
	}
	text := strings.Join(what, " of ")
	what = nil
	list("databases", s.notDatabases)
	list("schemas", s.sel.notSchemas)
	list("tables", s.sel.notTables)
	if len(what) > 0 {
		text += " without " + strings.Join(what, ", ")
	}
	if s.sel.dataOnly {
		text += ", rows alone"
	}
	return text
}

// nothing is the error of a dump that would be empty, where there are others.
func (s *Source) nothing(there []string) error {
	return &dump.EmptyError{Asked: s.asked(), There: there}
}
