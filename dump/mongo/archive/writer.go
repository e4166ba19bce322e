package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A Writer writes an archive that vouches for itself: the prelude, then for each
// of its collections, in their order, Begin, any number of Writes, and End; then
// Close, before which the archive is not whole. It does not buffer.
type Writer struct {
	w    io.Writer
	left []Collection // announced and not yet begun
	last []byte       // of the archive, for Close

	current  *namespace // begun and not yet ended; nil between collections
	started  bool       // its block has begun
	manifest dump.Manifest
}

// NewWriter writes p, with this program as the tool, to w.
func NewWriter(w io.Writer, p Prelude) (*Writer, error) {
	p.Tool = Tool
	prelude, err := p.encode()
	if err != nil {
		return nil, fmt.Errorf("archive's prelude: %w", err)
	}
	out := &Writer{w: w, left: p.Collections}
	if len(p.Collections) == 0 {
		const size = 4 // of the terminator
		prelude, out.last = prelude[:len(prelude)-size], prelude[len(prelude)-size:]
	}
	if _, err := w.Write(prelude); err != nil {
		return nil, err
	}
	return out, nil
}

// Begin begins the next collection, which must be c.
func (w *Writer) Begin(c *Collection) error {
	if w.current != nil || len(w.left) == 0 || w.left[0] != *c {
		return fmt.Errorf("archive: %s is begun out of turn", c.Namespace())
	}
	w.left = w.left[1:]
	w.current, w.started = &namespace{db: c.DB, name: c.DataName(), vouched: true}, false
	return nil
}

// Write appends documents, one or more and each of them whole, to the collection.
func (w *Writer) Write(documents []byte) (int, error) {
	if w.current == nil {
		return 0, errors.New("archive: documents without a collection")
	}
	if err := w.current.count(documents); err != nil {
		return 0, err
	}
	if !w.started {
		begin, err := w.current.encode()
		if err != nil {
			return 0, err
		}
		if _, err := w.w.Write(begin); err != nil {
			return 0, err
		}
		w.started = true
	}
	return w.w.Write(documents)
}

// count takes note of documents.
func (n *namespace) count(documents []byte) error {
	n.crc = updateCRC(n.crc, documents)
	for rest := documents; len(rest) > 0; {
		if len(rest) < minDocument {
			return errHalfDocument
		}
		size := binary.LittleEndian.Uint32(rest)
		if size < minDocument || int64(size) > int64(len(rest)) {
			return errHalfDocument
		}
		n.documents++
		n.hash += dump.RowHash(rest[:size])
		rest = rest[size:]
	}
	return nil
}

var errHalfDocument = errors.New("archive: a document's length is not that of its bytes")

// End ends the collection.
func (w *Writer) End() error {
	n := w.current
	if n == nil {
		return errors.New("archive: no collection to end")
	}
	w.current = nil
	n.end = true
	end, err := n.encode()
	if err != nil {
		return err
	}
	var out []byte
	if w.started {
		out = binary.LittleEndian.AppendUint32(out, terminator)
	}
	out = append(out, end...)
	out = binary.LittleEndian.AppendUint32(out, terminator)
	w.manifest = append(w.manifest, n.table())
	if len(w.left) == 0 {
		w.last = out
		return nil
	}
	_, err = w.w.Write(out)
	return err
}

func (n *namespace) table() dump.Table {
	return dump.Table{Name: n.db + "." + n.name, Rows: n.documents, Hash: n.hash}
}

// Close writes what makes the archive whole, and returns its manifest. It does
// not close the underlying writer.
func (w *Writer) Close() (dump.Manifest, error) {
	if w.current != nil || len(w.left) > 0 || w.last == nil {
		return nil, errors.New("archive: closed before all collections were written")
	}
	_, err := w.w.Write(w.last)
	w.last = nil
	return w.manifest, err
}
