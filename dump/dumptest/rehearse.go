package dumptest

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// rehearses rehearses a load into an empty database, which begins then: nothing stands in its way,
// and nothing has changed by that.
func (s Suite[D]) rehearses(t *testing.T, db D, stream []byte) {
	t.Helper()
	before := s.dump(t, db, 1, nil)
	found := s.rehearsal(t, db, Options{Jobs: 1}, stream)
	if len(found.Obstacles)+len(found.Target.Drops) > 0 {
		t.Errorf("into an empty database: obstacles %q, it drops %q", found.Obstacles, found.Target.Drops)
	}
	if found.Target.Server == "" || found.To == "" {
		t.Errorf("it goes to %q, which is %q", found.Target.Server, found.To)
	}
	byName := func(a, b dump.Table) int { return cmp.Compare(a.Name, b.Name) }
	want, got := slices.SortedFunc(slices.Values(s.Contents(t, stream).Tables), byName), slices.SortedFunc(slices.Values(found.Tables), byName)
	if !slices.Equal(want, got) {
		t.Errorf("it would load %v, and the manifest has %v", got, want)
	}
	if len(found.Bytes) != len(found.Tables) {
		t.Errorf("the bytes of %d tables are told, of %d", len(found.Bytes), len(found.Tables))
	}
	for _, n := range []int{len(stream) / 2, len(stream) - 1} {
		if _, err := s.loader(t, db, Options{Jobs: 1}).Rehearse(t.Context(), bytes.NewReader(stream[:n])); !isCut(err) {
			t.Errorf("rehearse %d of %d bytes: %v, want: %v", n, len(stream), err, dump.ErrTruncated)
		}
	}
	if err := s.loader(t, db, Options{Jobs: 1}).Reach(t.Context()); err != nil {
		t.Errorf("reach: %v", err)
	}
	s.dumpsAs(t, "a dump of what a load was rehearsed into", before, db, 1)
}

// rehearsesContents rehearses a load into a database that holds something: what is in the way is
// named, or with Clean what would be dropped.
func (s Suite[D]) rehearsesContents(t *testing.T, db D, stream []byte) {
	t.Helper()
	if found := s.rehearsal(t, db, Options{Jobs: 1}, stream); !errors.Is(errors.Join(found.Obstacles...), dump.ErrNotEmpty) {
		t.Errorf("into a database with contents: obstacles %q, want: %v", found.Obstacles, dump.ErrNotEmpty)
	}
	found := s.rehearsal(t, db, Options{Jobs: 1, Clean: true}, stream)
	if len(found.Obstacles) > 0 || len(found.Target.Drops) == 0 {
		t.Errorf("into a database that is emptied: obstacles %q, it drops %q", found.Obstacles, found.Target.Drops)
	}
}

func (s Suite[D]) rehearsal(t *testing.T, db D, o Options, stream []byte) dump.Rehearsal {
	t.Helper()
	o.Into = func(to dump.Target) { t.Errorf("a rehearsal tells that it goes to %+v", to) }
	found, err := s.loader(t, db, o).Rehearse(t.Context(), bytes.NewReader(stream))
	if err != nil {
		t.Fatalf("rehearse: %v", err)
	}
	return found
}
