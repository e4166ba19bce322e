package dump

import (
	"fmt"
	"strings"
)

// A Difference is one table in which a copy is not what a manifest says.
type Difference struct {
	Kind       DifferenceKind
	Table      string
	Want, Have Tally // in the manifest, in the copy
}

// A DifferenceKind says what is different in a table.
type DifferenceKind string

const (
	MissingTable DifferenceKind = "missing" // it is not in the copy
	ExtraTable   DifferenceKind = "extra"   // it is in the copy alone
	OtherRows    DifferenceKind = "rows"    // another number of rows
	OtherContent DifferenceKind = "content" // as many rows, and others
)

// String is the difference for people.
func (d Difference) String() string {
	switch d.Kind {
	case MissingTable:
		return fmt.Sprintf("table %s with %d rows is not in the copy", d.Table, d.Want.Rows)
	case ExtraTable:
		return fmt.Sprintf("table %s with %d rows is in the copy and not in the manifest", d.Table, d.Have.Rows)
	}
	return Table{Name: d.Table, Rows: d.Want.Rows, Hash: d.Want.Hash}.Compare(d.Have.Rows, d.Have.Hash).Error()
}

// Differences holds a copy's tables against the manifest's, whatever their order, and returns all
// that is different: first, in the manifest's order, what it has, then what the copy has besides
// and that holds rows: of tables whose rows were left out a manifest says nothing. Tables of one
// name, which a dump of several databases may have, are held against one another in their order.
//
// A copy that is as it should be may still differ where the engine says so: see the TablesOf of
// each.
func (m Manifest) Differences(copy Manifest) []Difference {
	have := make(map[string][]Table, len(copy))
	for _, t := range copy {
		have[t.Name] = append(have[t.Name], t)
	}
	var all []Difference
	for _, t := range m {
		d := Difference{Table: t.Name, Want: t.tally()}
		if len(have[t.Name]) == 0 {
			d.Kind = MissingTable
			all = append(all, d)
			continue
		}
		d.Have = have[t.Name][0].tally()
		have[t.Name] = have[t.Name][1:]
		switch {
		case d.Want == d.Have:
			continue
		case d.Want.Rows != d.Have.Rows:
			d.Kind = OtherRows
		default:
			d.Kind = OtherContent
		}
		all = append(all, d)
	}
	for _, t := range copy {
		if len(have[t.Name]) > 0 && t.Rows == 0 { // a dump may leave out the rows of a table, and say nothing of it
			have[t.Name] = have[t.Name][1:]
			continue
		}
		if len(have[t.Name]) > 0 {
			all = append(all, Difference{Kind: ExtraTable, Table: t.Name, Have: have[t.Name][0].tally()})
			have[t.Name] = have[t.Name][1:]
		}
	}
	return all
}

func (t Table) tally() Tally { return Tally{Rows: t.Rows, Hash: t.Hash} }

// Within returns the tables whose names begin with a database's, as a dump of several has them, by
// the rest of their names.
func (m Manifest) Within(database string) Manifest {
	var of Manifest
	for _, t := range m {
		if name, ok := strings.CutPrefix(t.Name, database); ok {
			of = append(of, Table{Name: name, Rows: t.Rows, Hash: t.Hash})
		}
	}
	return of
}

// Databases are the names that the parts of a dump of several have for its databases, in their
// order; none where they do not tell, or the dump is of one.
func (c *Contents) Databases() []string {
	var all []string
	seen := map[string]bool{}
	for _, p := range c.Parts {
		if p.Kind == Definitions && p.Name != "" && !seen[p.Name] {
			seen[p.Name] = true
			all = append(all, p.Name)
		}
	}
	return all
}
