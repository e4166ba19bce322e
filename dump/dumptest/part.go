package dumptest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// spread are the numbers of connections that loads of parts take turns in.
var spread = []int{1, 2, 4}

// parts loads parts of a dump: each table alone, one of them beside all others, and the definitions
// and the rows one after the other.
func (s Suite[D]) parts(t *testing.T, c Case[D], db D, stream []byte) {
	if s.Pattern == nil {
		return
	}
	var tables dump.Manifest
	for _, table := range s.Contents(t, stream).Tables {
		if !slices.Contains(c.Joined, table.Name) {
			tables = append(tables, table)
		}
	}
	t.Run("alone", func(t *testing.T) {
		for i, table := range tables {
			t.Run(table.Name, func(t *testing.T) {
				t.Parallel()
				from := stream
				if i%2 == 1 && !isArchive(stream) { // as a reader does that passes over the rest
					from = s.excerpt(t, stream, s.Contents(t, stream), rowsOf(table))
				}
				s.alone(t, db, table, spread[i%len(spread)], from)
			})
		}
	})
	if n := len(tables); n > 1 {
		t.Run("beside others", func(t *testing.T) {
			for _, table := range tables {
				if s.beside(t, db, table, spread[n%len(spread)], stream) {
					return
				}
			}
		})
	}
	if s.NoHalves == "" && c.NoHalves == "" {
		t.Run("definitions, then rows", func(t *testing.T) { s.halves(t, c, db, stream) })
	}
}

// alone loads a table into an empty database. What it needs comes with it, and of that no rows.
func (s Suite[D]) alone(t *testing.T, db D, table dump.Table, jobs int, stream []byte) {
	restored := s.Twin(t, db)
	s.load(t, restored, Options{Jobs: jobs, Part: s.only(table)}, stream)
	found := false
	for _, got := range s.tables(t, restored) {
		if got.Name == table.Name {
			found = true
			s.equalRows(t, table, got)
		} else if got.Rows > 0 {
			t.Errorf("with it came %d rows of %s", got.Rows, got.Name)
		}
	}
	if !found {
		t.Error("it is not there")
	}
	if s.SameTable != nil {
		s.SameTable(t, db, restored, table.Name)
	}
}

// beside loads all of a dump but one table, and then that, beside what is there by then: without
// Clean where it is not there yet, and with it where it is. It returns false of a table that others
// need, which is there without its rows.
func (s Suite[D]) beside(t *testing.T, db D, table dump.Table, jobs int, stream []byte) bool {
	t.Helper()
	restored := s.Twin(t, db)
	var warned strings.Builder
	s.load(t, restored, Options{Jobs: jobs, Part: dump.Choice{ExcludeTables: []string{s.Pattern(table.Name)}}, Warn: func(text string) {
		warned.WriteString(text + "\n")
	}}, stream)
	rest := s.tables(t, restored)
	if there, ok := rest[table.Name]; ok {
		if there.Rows > 0 {
			t.Errorf("%s is there without having been wanted", table.Name)
		}
		return false
	}
	for _, want := range s.Contents(t, stream).Tables {
		got, ok := rest[want.Name]
		switch {
		case ok:
			s.equalRows(t, want, got)
		case want.Name != table.Name && !strings.Contains(warned.String(), want.Name):
			t.Errorf("%s is not there, and nobody was told why: %s", want.Name, &warned)
		}
	}
	for _, clean := range []bool{false, true} {
		o := Options{Jobs: jobs, Clean: clean, Part: s.only(table)}
		if clean {
			err := s.loader(t, restored, Options{Jobs: jobs, Part: s.only(table)}).Load(t.Context(), bytes.NewReader(stream))
			if !errors.Is(err, dump.ErrNotEmpty) {
				t.Errorf("loading a table that is there: %v, want: %v", err, dump.ErrNotEmpty)
			}
			o.Into = func(to dump.Target) {
				if len(to.Drops) != 1 {
					t.Errorf("it drops %q, and was to drop %s", to.Drops, table.Name)
				}
			}
		}
		l := s.loader(t, restored, o)
		if err := l.Verify(bytes.NewReader(stream)); err != nil { // what a part drops is to be known before
			t.Fatal(err)
		}
		if err := l.Load(t.Context(), bytes.NewReader(stream)); err != nil {
			t.Fatalf("load %s beside others, clean %t: %v", table.Name, clean, err)
		}
		now := s.tables(t, restored)
		s.equalRows(t, table, now[table.Name])
		for name, before := range rest {
			s.equalRows(t, before, now[name])
		}
	}
	return true
}

// halves loads the definitions of a dump and then the rows, which is all of it.
func (s Suite[D]) halves(t *testing.T, c Case[D], db D, stream []byte) {
	restored := s.Twin(t, db)
	s.load(t, restored, Options{Jobs: 2, Part: dump.Choice{SchemaOnly: true}}, stream)
	for _, table := range s.tables(t, restored) {
		if table.Rows > 0 {
			t.Errorf("with the definitions came %d rows of %s", table.Rows, table.Name)
		}
	}
	s.load(t, restored, Options{Jobs: 2, Part: dump.Choice{DataOnly: true}}, stream)
	if c.Unequal == "" {
		s.dumpsAs(t, "a dump of what was restored by halves", stream, restored, 2)
	}
	if s.Same != nil {
		s.Same(t, db, restored)
	}
}

// only is the choice of one table.
func (s Suite[D]) only(table dump.Table) dump.Choice {
	return dump.Choice{Tables: []string{s.Pattern(table.Name)}}
}

// tables are what a dump of db says of its tables.
func (s Suite[D]) tables(t *testing.T, db D) map[string]dump.Table {
	t.Helper()
	all := map[string]dump.Table{}
	for _, table := range s.Contents(t, s.dump(t, db, 1, nil)).Tables {
		all[table.Name] = table
	}
	return all
}

// equalRows reports rows that are not those of the original.
func (s Suite[D]) equalRows(t *testing.T, want, got dump.Table) {
	t.Helper()
	if got != want {
		t.Errorf("%s has %d rows of hash %x, want %d of %x", want.Name, got.Rows, got.Hash, want.Rows, want.Hash)
	}
}
