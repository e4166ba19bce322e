package dumptest

import (
	"bytes"
	"slices"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// items reads a dump as items and by its manifest, and holds one against the other: the rows of
// each table by number and hash, what the items say of them at their end, and the order of the
// items against that of the parts. The first item, and no other, is the dump's head.
func (s Suite[D]) items(t *testing.T, stream []byte) {
	t.Helper()
	var contents *dump.Contents
	var order []string
	tallies, ends := map[string]dump.Tally{}, map[string]dump.Table{}
	n := 0
	for item, err := range s.Items(bytes.NewReader(stream)) {
		switch {
		case err != nil:
			t.Fatalf("items: %v", err)
		case contents != nil:
			t.Fatalf("an item comes behind the manifest: %s %q", item.Kind, item.Text)
		case (n == 0) != (item.Head != nil):
			t.Fatalf("item %d has the head %+v", n, item.Head)
		case item.Head != nil:
			if want := s.form(t, stream); item.Head.Form != want {
				t.Errorf("the head says that the dump is of form %q, want %q", item.Head.Form, want)
			}
		case item.End != nil:
			if _, twice := ends[item.Table]; twice || item.End.Name != item.Table {
				t.Errorf("an end of %q is that of %q, or its second", item.Table, item.End.Name)
			}
			ends[item.Table] = *item.End
		case item.Contents != nil:
			contents = item.Contents
		case item.Kind == dump.Rows:
			tally, err := item.Tally()
			if err != nil {
				t.Fatalf("rows of %s: %v", item.Table, err)
			}
			sum := tallies[item.Table]
			sum.Plus(tally)
			tallies[item.Table] = sum
		}
		if key := string(item.Kind) + " " + item.Table; item.Kind == dump.Rows && (len(order) == 0 || order[len(order)-1] != key) {
			order = append(order, key)
		}
		n++
	}
	if contents == nil {
		t.Fatal("the items end without the manifest")
	}
	for _, table := range contents.Tables {
		tally := tallies[table.Name]
		if err := table.Compare(tally.Rows, tally.Hash); err != nil {
			t.Errorf("items: %v", err)
		}
		if end, said := ends[table.Name]; said && end != table {
			t.Errorf("items: the end of %s is %+v, and in the manifest %+v", table.Name, end, table)
		}
		delete(tallies, table.Name)
		delete(ends, table.Name)
	}
	for name := range ends {
		t.Errorf("items: there is an end of %s, which is not in the manifest", name)
	}
	for name := range tallies {
		t.Errorf("items: there are rows of %s, which is not in the manifest", name)
	}
	var parts []string
	for _, p := range contents.Parts {
		if p.Kind == dump.Rows && tallyOrZero(contents, p.Name) > 0 {
			parts = append(parts, string(p.Kind)+" "+p.Name)
		}
	}
	var filled []string // a table without rows may have no item, or one without blocks
	for _, key := range order {
		if tallyOrZero(contents, key[len(string(dump.Rows))+1:]) > 0 {
			filled = append(filled, key)
		}
	}
	equalOrder(t, parts, filled)
	s.cutItems(t, stream)
}

// form is what a dump's head is to say.
func (s Suite[D]) form(t *testing.T, stream []byte) string {
	t.Helper()
	if s.Form != "" {
		return s.Form
	}
	_, form, err := dump.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	return form
}

func tallyOrZero(c *dump.Contents, name string) int64 {
	for _, table := range c.Tables {
		if table.Name == name {
			return table.Rows
		}
	}
	return 0
}

func equalOrder(t *testing.T, parts, items []string) {
	t.Helper()
	if len(parts) != len(items) {
		t.Errorf("the manifest has %d parts of rows, the items are of %d: %q, %q", len(parts), len(items), parts, items)
		return
	}
	for i := range parts {
		if parts[i] != items[i] {
			t.Errorf("part %d of rows is %q, and the item %q", i, parts[i], items[i])
		}
	}
}

// cutItems reads a dump that is cut short as items: there is an error at their end, and no
// manifest.
func (s Suite[D]) cutItems(t *testing.T, stream []byte) {
	t.Helper()
	for _, n := range []int{0, 1, len(stream) / 3, len(stream) / 2, len(stream) - 1} {
		var failed error
		for item, err := range s.Items(bytes.NewReader(stream[:n])) {
			if failed != nil || item.Contents != nil {
				t.Fatalf("items of the first %d of %d bytes go on after %v", n, len(stream), failed)
			}
			failed = err
		}
		if failed == nil {
			t.Errorf("items of the first %d of %d bytes end without an error", n, len(stream))
		}
	}
}

// contents reads the manifest from the end of a dump, and looks at the places that it names. told
// are the tables that the dump told of on its way: those of the manifest, though a name may have
// become another since.
func (s Suite[D]) contents(t *testing.T, stream []byte, told dump.Manifest) {
	t.Helper()
	c := s.Contents(t, stream)
	if c == nil || len(c.Parts) == 0 {
		t.Fatalf("the dump's manifest has no parts: %+v", c)
	}
	var at, rows int64
	for _, p := range c.Parts {
		if p.First != at || p.Bytes <= 0 {
			t.Errorf("part %s %q is from byte %d to %d, and the one before it ends at %d", p.Kind, p.Name, p.First, p.End(), at)
		}
		at = p.End()
		rows += p.Rows
	}
	if rows != c.Tables.Rows() {
		t.Errorf("the parts have %d rows, the tables %d", rows, c.Tables.Rows())
	}
	if !slices.EqualFunc(c.Tables, told, func(a, b dump.Table) bool { return a.Rows == b.Rows && a.Hash == b.Hash }) {
		t.Errorf("the manifest has %v, and told on the way were %v", c.Tables, told)
	}
}
