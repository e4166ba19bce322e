package rows

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
)

// A sortKey is the columns that rows of COPY's text format are sorted by.
type sortKey []sortColumn

type sortColumn struct {
	at     int  // among the columns of the COPY
	number bool // sorted as an integer; else by the bytes of its text
}

// The OIDs of the integer types (pg_type.dat).
const (
	typeInt8 = 20
	typeInt2 = 21
	typeInt4 = 23
)

// keyOf returns the key of a table as the columns of its COPY. Any order does that puts a row
// always between the same others: numbers are in that of their values, as people and other tools
// have them, all else in that of its text.
func keyOf(r *catalog.Relation, t stored) sortKey {
	columns := r.Copied()
	var key sortKey
	for i, name := range t.Key {
		at := slices.Index(columns, name)
		if at < 0 {
			break // a generated column, which the others determine
		}
		key = append(key, sortColumn{at, slices.Contains([]uint32{typeInt2, typeInt4, typeInt8}, t.Types[i])})
	}
	return key
}

// sortedText is how many bytes of rows a sorter takes: more than a table of the size sortedHere
// usually has as text. Values that the server keeps compressed may be far longer.
const sortedText = 2 * sortedHere

// A sorter collects the rows of a table and puts them in the order of a key.
type sorter struct {
	key  sortKey
	text []byte
	rows []sortable
}

// A sortable is a row in a sorter's text.
type sortable struct {
	from, to int
	first    int64 // the value of the key's first column, if that is a number
}

// add takes in a row with its line feed. It reports false, and takes nothing, where that would be
// more than a sorter may hold: what it has then leaves as it came.
func (s *sorter) add(row []byte) bool {
	if !s.begin(len(row)) {
		return false
	}
	s.append(row)
	s.finish()
	return true
}

// begin makes room for a row that comes in parts, or reports false.
func (s *sorter) begin(size int) bool {
	if len(s.text)+size > sortedText {
		return false
	}
	s.rows = append(s.rows, sortable{from: len(s.text)})
	return true
}

func (s *sorter) append(part []byte) { s.text = append(s.text, part...) }

// finish ends the row that begin began.
func (s *sorter) finish() {
	r := &s.rows[len(s.rows)-1]
	r.to = len(s.text)
	if len(s.key) > 0 && s.key[0].number {
		r.first, _ = strconv.ParseInt(string(field(s.text[r.from:r.to], s.key[0].at)), 10, 64)
	}
}

// each calls f with every row, in order where that is asked for, until f fails. The sorter is empty
// afterwards.
func (s *sorter) each(inOrder bool, f func(row []byte) error) error {
	if inOrder {
		slices.SortStableFunc(s.rows, s.compare)
	}
	defer func() { s.text, s.rows = s.text[:0], s.rows[:0] }()
	for _, r := range s.rows {
		if err := f(s.text[r.from:r.to]); err != nil {
			return err
		}
	}
	return nil
}

func (s *sorter) compare(a, b sortable) int {
	rest := s.key
	if len(rest) > 0 && rest[0].number {
		if c := cmp.Compare(a.first, b.first); c != 0 {
			return c
		}
		rest = rest[1:]
	}
	for _, column := range rest {
		x, y := field(s.text[a.from:a.to], column.at), field(s.text[b.from:b.to], column.at)
		if column.number {
			i, _ := strconv.ParseInt(string(x), 10, 64)
			j, _ := strconv.ParseInt(string(y), 10, 64)
			if c := cmp.Compare(i, j); c != 0 {
				return c
			}
		} else if c := bytes.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// field returns a row's field: a tab in a value is written as \t.
func field(row []byte, at int) []byte {
	row = bytes.TrimSuffix(row, []byte("\n"))
	for ; at > 0; at-- {
		i := bytes.IndexByte(row, '\t')
		if i < 0 {
			return nil
		}
		row = row[i+1:]
	}
	if i := bytes.IndexByte(row, '\t'); i >= 0 {
		row = row[:i]
	}
	return row
}
