package archive

import (
	"encoding/binary"
	"errors"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A tally is what there was of a collection's documents.
type tally struct {
	dump.Tally
	crc uint64
}

// count takes note of documents, one or more and each of them whole.
func (t *tally) count(documents []byte) error {
	t.crc = updateCRC(t.crc, documents)
	for rest := documents; len(rest) > 0; {
		if len(rest) < minDocument {
			return errHalfDocument
		}
		size := binary.LittleEndian.Uint32(rest)
		if size < minDocument || int64(size) > int64(len(rest)) {
			return errHalfDocument
		}
		t.Add(rest[:size])
		rest = rest[size:]
	}
	return nil
}

var errHalfDocument = errors.New("archive: a document's length is not that of its bytes")

// vouched are the numbers that stand before a collection's end.
func (t *tally) vouched() []uint64 { return []uint64{uint64(t.Rows), t.Hash} }

// count gives the last of the parts, which has come to a collection's end, the number and the hash
// of its documents.
func count(parts dump.Parts, t dump.Tally) {
	if len(parts) == 0 {
		return
	}
	if last := &parts[len(parts)-1]; last.Kind == dump.Rows {
		last.Rows, last.Hash = t.Rows, t.Hash
	}
}
