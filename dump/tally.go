package dump

import (
	"hash"

	"github.com/cespare/xxhash/v2"
)

// RowHash returns the hash of one row as it stands in the dump, without its end of line. A table's
// hash is the sum of its rows' hashes: the order of the rows does not matter, so that pieces of a
// table can be hashed apart, and the rows that a restore takes out of the dump in any order. No
// table is read back for it. It guards against accidents; against a forger stands the repository's
// own authentication.
func RowHash(row []byte) uint64 { return xxhash.Sum64(row) }

// NewRowHash returns what hashes a row that comes in parts: its Sum64 is the RowHash of the whole.
func NewRowHash() hash.Hash64 { return xxhash.New() }

// A Tally counts and hashes rows. The zero value is of none.
type Tally struct {
	Rows int64
	Hash uint64 // see Table.Hash
}

// Add adds a row, as it stands in the dump without its end of line.
func (t *Tally) Add(row []byte) {
	t.Rows++
	t.Hash += RowHash(row)
}

// Plus adds what another has counted.
func (t *Tally) Plus(other Tally) {
	t.Rows += other.Rows
	t.Hash += other.Hash
}

// Of is a manifest's entry for a table with these rows.
func (t Tally) Of(table string) Table { return Table{Name: table, Rows: t.Rows, Hash: t.Hash} }
