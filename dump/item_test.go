package dump

import (
	"bytes"
	"errors"
	"iter"
	"testing"
)

func blocksOf(texts ...string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, text := range texts {
			if !yield([]byte(text), nil) {
				return
			}
		}
	}
}

func lines(block []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for line := range bytes.Lines(block) {
			if !yield(bytes.TrimSuffix(line, []byte("\n"))) {
				return
			}
		}
	}
}

func TestItemRows(t *testing.T) {
	item := Item{Kind: Rows, Blocks: blocksOf("a\nb\n", "\nc\n"), Split: lines}
	var want Tally
	for _, row := range []string{"a", "b", "", "c"} {
		want.Add([]byte(row))
	}
	if got, err := item.Tally(); got != want || err != nil || got.Rows != 4 {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	var seen []string
	for row, err := range item.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, string(row)); len(seen) == 2 {
			break
		}
	}
	if len(seen) != 2 || seen[1] != "b" {
		t.Errorf("rows up to a break: %q", seen)
	}
	if err := (Table{Name: "t", Rows: 4, Hash: want.Hash}).Compare(want.Rows, want.Hash); err != nil || want.Of("t") != (Table{"t", 4, want.Hash}) {
		t.Error(err)
	}
}

// What fails among the rows is an error of theirs, after those that came before it.
func TestItemRowsFail(t *testing.T) {
	failure := errors.New("the stream is cut")
	item := Item{Kind: Rows, Split: lines, Blocks: func(yield func([]byte, error) bool) {
		if yield([]byte("a\n"), nil) {
			yield(nil, failure)
		}
	}}
	if got, err := item.Tally(); got.Rows != 1 || !errors.Is(err, failure) {
		t.Errorf("%+v, %v", got, err)
	}
}
