package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// A Reader reads an archive of either kind and holds it to what it says of itself: checksums,
// counts, and that every collection that the prelude announces comes and ends. Errors that say that
// something is wrong with the archive are dump.ErrNotADump, dump.ErrTruncated or dump.ErrDamaged.
type Reader struct {
	r       *bufio.Reader
	prelude Prelude

	collections map[[2]string]*reading // by database and dataName
	unended     int                    // of them
	block       *reading               // whose documents come next; nil between blocks
	contents    dump.Contents
	part        *reading // that is the last of the contents' parts; nil: none is
	buf         []byte
	at          int64 // bytes that were read
	err         error
}

// reading is what was read so far of a collection.
type reading struct {
	*Collection
	tally
	numbers []uint64 // of empty blocks, where they vouch
	begun   bool     // and noted as a part
	ended   bool
}

// A Block is some of a collection's documents, which Document returns; or, with End, the
// collection's end: there is no more of it, and its checksum is right.
type Block struct {
	*Collection
	End *dump.Table // of all its documents
}

// NewReader reads an archive's prelude, and returns a Reader for the rest.
func NewReader(r io.Reader) (*Reader, error) {
	a := newReader(r)
	if err := a.readPrelude(preludeBounds()); err != nil {
		return nil, err
	}
	if a.prelude.vouched() {
		a.contents.Parts.Begin(dump.Definitions, "", 0)
	}
	return a, nil
}

func newReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 256<<10), collections: map[[2]string]*reading{}}
}

// Prelude returns what the archive says of itself.
func (a *Reader) Prelude() *Prelude { return &a.prelude }

// Contents returns what was read so far: the collections that have ended, in the order of their
// ends, and where in the archive everything is.
func (a *Reader) Contents() *dump.Contents { return &a.contents }

func (a *Reader) readPrelude(most bounds) error {
	head, err := a.r.Peek(4)
	if err != nil && err != io.EOF {
		return err
	}
	if len(head) < 4 || binary.LittleEndian.Uint32(head) != magic {
		return notAnArchive(a.r)
	}
	a.discard(head)
	header, err := a.item(most.document)
	if err != nil {
		return fmt.Errorf("prelude: %w", err)
	}
	if header == nil {
		return damaged("prelude: it has no header")
	}
	if err := a.prelude.decodeHeader(header); err != nil {
		return damaged("prelude: %w", err)
	}
	vouched := a.prelude.vouched()
	header = bytes.Clone(header)
	check := newCheck(&a.prelude)
	for size := len(header); ; {
		doc, err := a.item(most.document)
		if err != nil {
			return fmt.Errorf("prelude: %w", err)
		}
		if doc == nil {
			break
		}
		if size += len(doc); size > most.all || len(a.prelude.Collections) == most.collections {
			return damaged("prelude: it has more than %d bytes or %d collections, and no dump has", most.all, most.collections)
		}
		c, err := decodeCollection(doc)
		if err != nil {
			return damaged("prelude: %w", err)
		}
		if vouched && !check.takes(&c, doc) {
			return damaged("prelude: its content does not match its hash")
		}
		a.prelude.Collections = append(a.prelude.Collections, c)
	}
	if vouched && !check.vouchesFor(header) {
		return damaged("prelude: its content does not match its hash")
	}
	return a.expect()
}

// expect makes ready for what the prelude announces.
func (a *Reader) expect() error {
	for i := range a.prelude.Collections {
		c := &a.prelude.Collections[i]
		key := a.prelude.key(c)
		if a.collections[key] != nil {
			return damaged("prelude: %s comes twice", shown.Whole(c.Namespace()))
		}
		a.collections[key] = &reading{Collection: c}
	}
	a.unended = len(a.collections)
	return nil
}

// Next goes on to the next block; what was not read of the one before is passed over. At the end of
// a whole archive the error is io.EOF.
func (a *Reader) Next() (Block, error) {
	for a.err == nil && a.block != nil {
		if _, err := a.Document(); err != nil && err != io.EOF {
			return Block{}, err
		}
	}
	if a.err != nil {
		return Block{}, a.err
	}
	b, err := a.next()
	a.err = err
	return b, err
}

func (a *Reader) next() (Block, error) {
	for {
		begin := a.at
		doc, err := a.item(maxDocument)
		if errors.Is(err, errEnd) && a.unended == 0 {
			a.contents.Parts.End(begin)
			return Block{}, io.EOF
		}
		if err != nil {
			return Block{}, err
		}
		if doc == nil {
			return Block{}, damaged("a block without a beginning")
		}
		head, err := decodeNamespace(doc, a.prelude.vouched())
		if err != nil {
			return Block{}, damaged("%w", err)
		}
		r := a.collections[[2]string{head.db, head.name}]
		switch {
		case r == nil:
			return Block{}, damaged("%s comes unannounced", shown.Whole(head.db+"."+head.name))
		case r.ended:
			return Block{}, damaged("%s goes on after its end", shown.Whole(r.Namespace()))
		}
		if err := a.note(r, begin); err != nil {
			return Block{}, err
		}
		if head.end {
			return a.end(r, head)
		}
		isNumber, err := a.number(r, head)
		if err != nil {
			return Block{}, err
		}
		if !isNumber {
			a.block = r
			return Block{Collection: r.Collection}, nil
		}
	}
}

// note keeps where the part of a collection begins that the block at begin is of. In an archive
// that vouches for itself each is one part. In mongodump's, blocks of several alternate, as many of
// them as somebody likes: that has no parts.
func (a *Reader) note(r *reading, begin int64) error {
	if !a.prelude.vouched() || a.part == r {
		return nil
	}
	if r.begun {
		return damaged("%s goes on behind another collection", shown.Whole(r.Namespace()))
	}
	a.part, r.begun = r, true
	kind, name := a.prelude.part(r.Collection)
	a.contents.Parts.Begin(kind, name, begin)
	return nil
}

// number takes the number of an empty block of what is vouched for.
func (a *Reader) number(r *reading, head namespace) (bool, error) {
	if !a.prelude.vouched() {
		return false, nil
	}
	next, err := a.r.Peek(4)
	switch {
	case len(next) < 4:
		return false, cut(err)
	case binary.LittleEndian.Uint32(next) != terminator:
		if head.number != 0 || len(r.numbers) > 0 {
			return false, damaged("%s: its documents come where their number should", shown.Whole(r.Namespace()))
		}
		return false, nil
	}
	a.discard(next)
	r.numbers = append(r.numbers, head.number)
	if len(r.numbers) > len(r.vouched()) {
		return false, damaged("%s: it has more numbers than there are", shown.Whole(r.Namespace()))
	}
	return true, nil
}

// end holds a collection to what its end says.
func (a *Reader) end(r *reading, head namespace) (Block, error) {
	switch {
	case head.number != r.crc:
		return Block{}, damaged("%s: its checksum is wrong", shown.Whole(r.Namespace()))
	case a.prelude.vouched() && !slices.Equal(r.numbers, r.vouched()):
		return Block{}, damaged("%s: %d documents were read, and not that many were written, or not the same", shown.Whole(r.Namespace()), r.Rows)
	}
	doc, err := a.item(maxDocument)
	if err != nil {
		return Block{}, err
	}
	if doc != nil {
		return Block{}, damaged("%s goes on after its end", shown.Whole(r.Namespace()))
	}
	r.ended = true
	a.unended--
	table := r.Of(head.db + "." + head.name)
	a.contents.Tables = append(a.contents.Tables, table)
	count(a.contents.Parts, r.Tally)
	return Block{Collection: r.Collection, End: &table}, nil
}
