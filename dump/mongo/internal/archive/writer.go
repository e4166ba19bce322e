package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// A Writer writes an archive that vouches for itself: the prelude, then for each of its
// collections, in their order, Begin, any number of Writes, and End; then Close, before which the
// archive is not whole. It does not buffer.
type Writer struct {
	// Table is told each collection that has ended, as Close has it. nil means nobody.
	Table func(dump.Table)

	w       io.Writer
	prelude Prelude
	left    []Collection // announced and not yet begun
	last    []byte       // of the archive, for Close

	current  *Collection // begun and not yet ended; nil between collections
	started  bool        // its block has begun
	tally    tally       // of it
	contents dump.Contents
	at       int64 // bytes of the archive that were written
}

// NewWriter writes p, with this program as the tool, to w.
func NewWriter(w io.Writer, p Prelude) (*Writer, error) {
	p.Tool = tool
	seen := make(map[[2]string]bool, len(p.Collections))
	for i := range p.Collections {
		key := p.key(&p.Collections[i])
		if seen[key] {
			return nil, fmt.Errorf("archive's prelude: %s comes twice", shown.Whole(p.Collections[i].Namespace()))
		}
		seen[key] = true
	}
	prelude, err := p.encode(preludeBounds())
	if err != nil {
		return nil, fmt.Errorf("archive's prelude: %w", err)
	}
	out := &Writer{w: w, prelude: p, left: p.Collections}
	if len(p.Collections) == 0 {
		const size = 4 // of the terminator
		prelude, out.last = prelude[:len(prelude)-size], prelude[len(prelude)-size:]
	}
	out.contents.Parts.Begin(dump.Definitions, "", 0)
	if _, err := out.write(prelude); err != nil {
		return nil, err
	}
	return out, nil
}

// write writes some of the archive.
func (w *Writer) write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.at += int64(n)
	return n, err
}

// Begin begins the next collection, which must be c.
func (w *Writer) Begin(c *Collection) error {
	if w.current != nil || len(w.left) == 0 || w.left[0] != *c {
		return fmt.Errorf("archive: %s is begun out of turn", shown.Whole(c.Namespace()))
	}
	w.current, w.left = &w.left[0], w.left[1:]
	w.started, w.tally = false, tally{}
	kind, name := w.prelude.part(w.current)
	w.contents.Parts.Begin(kind, name, w.at)
	return nil
}

// Write appends documents, one or more and each of them whole, to the collection.
func (w *Writer) Write(documents []byte) (int, error) {
	if w.current == nil {
		return 0, errors.New("archive: documents without a collection")
	}
	if err := w.tally.count(documents); err != nil {
		return 0, err
	}
	if !w.started {
		begin, err := w.namespace(false, 0).encode()
		if err != nil {
			return 0, err
		}
		if _, err := w.write(begin); err != nil {
			return 0, err
		}
		w.started = true
	}
	return w.write(documents)
}

func (w *Writer) namespace(end bool, number uint64) *namespace {
	return &namespace{db: w.current.DB, name: w.prelude.dataName(w.current), end: end, number: number}
}

// End ends the collection.
func (w *Writer) End() error {
	if w.current == nil {
		return errors.New("archive: no collection to end")
	}
	var out []byte
	if w.started {
		out = binary.LittleEndian.AppendUint32(out, terminator)
	}
	var blocks []*namespace
	for _, number := range w.tally.vouched() {
		blocks = append(blocks, w.namespace(false, number))
	}
	for _, empty := range append(blocks, w.namespace(true, w.tally.crc)) {
		begin, err := empty.encode()
		if err != nil {
			return err
		}
		out = binary.LittleEndian.AppendUint32(append(out, begin...), terminator)
	}
	w.contents.Tables = append(w.contents.Tables, w.tally.Of(w.prelude.table(w.current)))
	count(w.contents.Parts, w.tally.Tally)
	w.current = nil
	if len(w.left) == 0 {
		w.last = out
	} else if _, err := w.write(out); err != nil {
		return err
	}
	if w.Table != nil {
		w.Table(w.contents.Tables[len(w.contents.Tables)-1])
	}
	return nil
}

// Close writes what makes the archive whole, and returns what is in it, and where. An archive has
// no place for that. It does not close the underlying writer.
func (w *Writer) Close() (*dump.Contents, error) {
	if w.current != nil || len(w.left) > 0 || w.last == nil {
		return nil, errors.New("archive: closed before all collections were written")
	}
	_, err := w.write(w.last)
	w.last = nil
	w.contents.Parts.End(w.at)
	return &w.contents, err
}
