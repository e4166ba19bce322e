package load

import (
	"bytes"
	"hash"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A lineTally counts and hashes the rows of a COPY as they pass, in pieces of any size.
type lineTally struct {
	dump.Tally
	row hash.Hash64 // that the last piece has ended within; nil: there was none yet
	cut bool        // it has
}

// Write implements io.Writer and never fails.
func (t *lineTally) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			t.begin(rest)
			break
		}
		if t.cut {
			t.row.Write(rest[:end])
			t.Hash += t.row.Sum64()
			t.cut = false
		} else {
			t.Hash += dump.RowHash(rest[:end])
		}
		t.Rows++
		rest = rest[end+1:]
	}
	return len(p), nil
}

// begin takes in a part of a row that is not its last.
func (t *lineTally) begin(part []byte) {
	switch {
	case t.row == nil:
		t.row = dump.NewRowHash()
	case !t.cut:
		t.row.Reset()
	}
	t.cut = true
	t.row.Write(part)
}
