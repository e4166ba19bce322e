package dump

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A Table is a manifest's entry: what a dump says of one table it holds.
type Table struct {
	Name string // as the engine's SQL writes it: qualified and quoted
	Rows int64
	Hash uint64 // the rows' hashes added up, see RowHash; the same in any row order
}

// A Manifest lists the tables of a dump in the order in which they were written.
type Manifest []Table

// Rows returns the number of rows in all tables.
func (m Manifest) Rows() int64 {
	var n int64
	for _, t := range m {
		n += t.Rows
	}
	return n
}

// Compare returns an error that names the table if it was read with other rows than t says: so
// many, with these hashes added up.
func (t Table) Compare(rows int64, hash uint64) error {
	switch {
	case rows != t.Rows:
		return fmt.Errorf("table %s has %d rows, the dump's manifest says %d", t.Name, rows, t.Rows)
	case hash != t.Hash:
		return fmt.Errorf("table %s has other rows than the dump's manifest says: their hash is %016x, and there %016x", t.Name, hash, t.Hash)
	}
	return nil
}

// A Trailer is what a dump's last line says of its manifest.
type Trailer struct {
	Tables int
	Rows   int64 // of all tables
}

// ParseTrailer reads a SQL dump's last line, without its end of line. It reports false for a
// comment that is none, and an error for one that is damaged.
func ParseTrailer(line string) (Trailer, bool, error) {
	rest, ok := strings.CutPrefix(line, trailerPrefix)
	if !ok {
		return Trailer{}, false, nil
	}
	var t Trailer
	var err error
	f := strings.SplitN(rest, " ", 7)
	if len(f) != 6 || f[1] != "tables" || f[3] != "rows" || f[4] != "stream" {
		return Trailer{}, false, fmt.Errorf("last line %s: tables, rows and hash expected", shortened(line))
	}
	if t.Tables, err = strconv.Atoi(f[0]); err != nil {
		return Trailer{}, false, fmt.Errorf("last line %s: tables: %w", shortened(line), err)
	}
	if t.Rows, err = strconv.ParseInt(f[2], 10, 64); err != nil {
		return Trailer{}, false, fmt.Errorf("last line %s: rows: %w", shortened(line), err)
	}
	return t, true, nil
}

// Compare returns an error if the trailer is not that of the manifest.
func (m Manifest) Compare(t Trailer) error {
	if len(m) != t.Tables || m.Rows() != t.Rows {
		return fmt.Errorf("the dump's manifest lists %d tables with %d rows, its last line says %d with %d", len(m), m.Rows(), t.Tables, t.Rows)
	}
	return nil
}

// A Comparison is what a load has found to be as the dump says of itself.
type Comparison struct {
	Tables int      // or collections
	Rows   int64    // of these, or documents
	Of     Manifest // what the dump says of them, by the names that they have there
}

// manifestPrefix begins each line of a manifest within a SQL dump.
const manifestPrefix = "-- table "

// WriteTo writes the manifest as SQL comments, a line a table. Names are quoted as Go quotes them,
// in ASCII alone, so that no name, whatever a server allows in it, can end its comment.
func (m Manifest) WriteTo(w io.Writer) (int64, error) {
	var n int64
	for _, t := range m {
		k, err := fmt.Fprintf(w, "%s%+q rows %d hash %016x\n", manifestPrefix, t.Name, t.Rows, t.Hash)
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// ParseTable reads one line of a manifest, without its end of line. It reports false for a comment
// that is no manifest line at all, and an error for one that begins as a manifest line and is
// damaged.
func ParseTable(line string) (Table, bool, error) {
	rest, ok := strings.CutPrefix(line, manifestPrefix)
	if !ok {
		return Table{}, false, nil
	}
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil || quoted[0] != '"' {
		return Table{}, false, fmt.Errorf("manifest line %s: no quoted name", shortened(line))
	}
	var t Table
	if t.Name, err = strconv.Unquote(quoted); err != nil {
		return Table{}, false, fmt.Errorf("manifest line %s: %w", shortened(line), err)
	}
	f := strings.SplitN(rest[len(quoted):], " ", 6)
	if len(f) != 5 || f[0] != "" || f[1] != "rows" || f[3] != "hash" {
		return Table{}, false, fmt.Errorf("manifest line %s: rows and hash expected after the name", shortened(line))
	}
	if t.Rows, err = strconv.ParseInt(f[2], 10, 64); err != nil {
		return Table{}, false, fmt.Errorf("manifest line %s: rows: %w", shortened(line), err)
	}
	if t.Hash, err = strconv.ParseUint(f[4], 16, 64); err != nil {
		return Table{}, false, fmt.Errorf("manifest line %s: hash: %w", shortened(line), err)
	}
	return t, true, nil
}

// shortened quotes a line of a manifest for an error. One that is damaged, or forged, may have any
// length.
func shortened(line string) string {
	const most = 300
	if len(line) <= most {
		return strconv.Quote(line)
	}
	return fmt.Sprintf("%q and %d bytes more", line[:most], len(line)-most)
}
