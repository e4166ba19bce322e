package dump

import (
	"slices"
	"testing"
)

func TestDifferences(t *testing.T) {
	m := Manifest{{"same", 3, 7}, {"gone", 2, 5}, {"fewer", 9, 1}, {"other", 4, 4}, {"twice", 1, 1}, {"twice", 2, 2}, {"empty", 0, 0}}
	copy := Manifest{{"empty", 0, 0}, {"twice", 1, 1}, {"new", 6, 6}, {"other", 4, 5}, {"fewer", 8, 1}, {"same", 3, 7}}
	got := m.Differences(copy)
	want := []Difference{
		{MissingTable, "gone", Tally{2, 5}, Tally{}},
		{OtherRows, "fewer", Tally{9, 1}, Tally{8, 1}},
		{OtherContent, "other", Tally{4, 4}, Tally{4, 5}},
		{MissingTable, "twice", Tally{2, 2}, Tally{}},
		{ExtraTable, "new", Tally{}, Tally{6, 6}},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want: %v", got, want)
	}
	texts := []string{
		"table gone with 2 rows is not in the copy",
		"table fewer has 8 rows, the dump's manifest says 9",
		"table other has other rows than the dump's manifest says: their hash is 0000000000000005, and there 0000000000000004",
		"table twice with 2 rows is not in the copy",
		"table new with 6 rows is in the copy and not in the manifest",
	}
	for i, d := range got {
		if d.String() != texts[i] {
			t.Errorf("%q, want: %q", d, texts[i])
		}
	}
	if d := m.Differences(slices.Clone(m)); d != nil {
		t.Errorf("with itself: %v", d)
	}
	if d := (Manifest{}).Differences(Manifest{{"twice", 1, 1}, {"twice", 1, 1}}); len(d) != 2 {
		t.Errorf("two that are not in the manifest: %v", d)
	}
}

func TestTablesWithin(t *testing.T) {
	m := Manifest{{"one.a", 1, 1}, {"two.a", 2, 2}, {"one.b", 3, 3}, {"ones.c", 4, 4}}
	if got, want := m.Within("one."), (Manifest{{"a", 1, 1}, {"b", 3, 3}}); !slices.Equal(got, want) {
		t.Errorf("%v, want: %v", got, want)
	}
}
