package postgres

import (
	"context"
	"fmt"
	"io"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
)

// A dumping is one Dump under way. What it writes is held back until something is found that a dump
// holds: of a server that may be in its last database.
type dumping struct {
	*Source
	w    io.Writer
	held []byte // nil once something was found
	full bool   // something was found

	told  map[string]bool          // what was warned of once for all databases
	used  map[*choice.Pattern]bool // the selection's patterns that fit something, in any database
	there []string                 // tables that nobody asked for, while nothing was found
}

func (s *Source) newDumping(w io.Writer) *dumping {
	return &dumping{Source: s, w: w, used: map[*choice.Pattern]bool{}, told: map[string]bool{}, full: s.cfg.AllowEmpty}
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
func (d *dumping) look(c *catalog.Database) {
	switch {
	case d.full:
	case !c.IsEmpty():
		d.full = true
	default:
		d.there = append(d.there, c.TableNames()...)
	}
}

// asked is what is dumped where no databases are named.
func (s *Source) asked() string {
	if s.cfg.AllDatabases {
		return "all databases"
	}
	return fmt.Sprintf("database %+q", s.conn.Database)
}

// nothing is the error of a dump that would be empty, where there are others.
func (s *Source) nothing(there []string) error {
	return &dump.EmptyError{Asked: s.sel.Describe(s.databases, s.notDatabases, s.asked()), There: there}
}

// tellUnknown warns of what is not known, of the same once.
func (d *dumping) tellUnknown(ctx context.Context, c *catalog.Database) error {
	list, err := c.Unknown(ctx)
	if err != nil {
		return fmt.Errorf("look for what is not known: %w", err)
	}
	for _, s := range list {
		if !d.told[s] {
			d.told[s] = true
			d.cfg.Warn(s)
		}
	}
	return nil
}

// tellUnused warns of patterns that fit nothing, in none of the databases.
func (d *dumping) tellUnused() {
	for _, text := range d.sel.Unused(d.used) {
		d.cfg.Warn(text)
	}
}
