package dumptest

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// excerpts makes of a dump one of all its parts, which is the dump, and for each table one that has
// the rows of no other: a whole dump, as items, by its manifest and for a loader, of these rows. Of
// an archive there are none.
func (s Suite[D]) excerpts(t *testing.T, stream []byte, db D) {
	t.Helper()
	if isArchive(stream) {
		return
	}
	c := s.Contents(t, stream)
	if all := s.excerpt(t, stream, c, func(dump.Part) bool { return true }); !bytes.Equal(all, stream) {
		t.Errorf("the excerpt of all parts has %d bytes, and the dump %d; or others", len(all), len(stream))
	}
	for _, table := range c.Tables {
		excerpt := s.excerpt(t, stream, c, rowsOf(table))
		if err := s.Verify(bytes.NewReader(excerpt)); err != nil {
			t.Errorf("verify the excerpt of %s: %v", table.Name, err)
		}
		if err := s.loader(t, db, Options{Jobs: 1}).Verify(bytes.NewReader(excerpt)); err != nil {
			t.Errorf("the loader verifies the excerpt of %s: %v", table.Name, err)
		}
		s.items(t, excerpt)
		s.contents(t, excerpt, dump.Manifest{table})
		if rest := s.Contents(t, excerpt); !slices.Equal(rest.Tables, dump.Manifest{table}) {
			t.Errorf("the excerpt of %s lists %v", table.Name, rest.Tables)
		}
	}
}

// excerpt is a dump of the parts that are wanted of one.
func (s Suite[D]) excerpt(t *testing.T, stream []byte, c *dump.Contents, wants func(dump.Part) bool) []byte {
	t.Helper()
	e, err := c.Excerpt(wants)
	if err != nil {
		t.Fatalf("excerpt: %v", err)
	}
	var b bytes.Buffer
	if err := e.Write(t.Context(), &b, dump.SpansOf(bytes.NewReader(stream))); err != nil {
		t.Fatalf("excerpt: %v", err)
	}
	return b.Bytes()
}

// rowsOf wants the rows of one table, and all that is no rows.
func rowsOf(table dump.Table) func(dump.Part) bool {
	return func(p dump.Part) bool { return p.Kind != dump.Rows || p.Name == table.Name }
}

// isArchive tells whether a dump is one of which there are no excerpts.
func isArchive(stream []byte) bool {
	_, _, err := dump.NewReader(bytes.NewReader(stream))
	return errors.Is(err, dump.ErrNotADump)
}
