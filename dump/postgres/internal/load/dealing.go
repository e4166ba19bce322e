package load

import (
	"bytes"
	"iter"
	"sync/atomic"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A dealing is the rows of one COPY on their way from the goroutine that reads them to the sessions
// that send them. It deals blocks of whole rows to whichever session is free: small ones while
// somebody waits for them, up to blockBytes while all have something to send. A row that is longer
// than a block goes to one session, a part at a time.
//
// Who waits for whom: deal waits for the rows, which are made to fail (see Run) once the load has
// failed, and for a spare buffer, never for room for a block. Buffers come back from every session
// before it asks for the next block; once one has failed, and may keep its own, ended is closed. A
// session waits for a block no longer than nothingYet: see rowsReader.
type dealing struct {
	rows   iter.Seq2[[]byte, error]
	spares *spares
	more   chan<- struct{} // is told when a further session would help; nil: none may
	long   chan<- struct{} // is told once rows are many

	blocks chan block            // closed behind the last; it has room for all buffers
	broken atomic.Pointer[error] // of rows, set before blocks is closed
	ended  chan struct{}         // closed when a session that sends them has failed

	// Of deal's goroutine.
	buffer []byte      // being filled, nil: there is none
	filled int         // bytes of it
	rest   chan []byte // of the row that is being dealt in parts
	lines  int64       // dealt
	dealt  int64       // bytes
	asked  int64       // bytes that were dealt when a further session was asked for
}

// A block is whole rows, or the first part of a long one, whose others and last then come through
// rest, with such rows as come behind it in the same buffer.
type block struct {
	text  []byte
	lines int64 // before it, of the COPY
	rest  chan []byte
}

// blockBytes is the size of a buffer. The first session has sent spreadAfter bytes before a second
// is asked for, and so on: small tables, of which a dump may have ten thousand, stay on one.
const (
	blockBytes  = 512 << 10
	spreadAfter = 4 << 20
)

// spares are the buffers of one COPY after another. There are as many as were needed at once, for
// some sessions two each and two to read into.
type spares struct {
	free chan []byte // it has room for all
	made int
}

// mostSpares bounds them to 32 MiB, whatever the number of sessions.
const mostSpares = 64

func newSpares(sessions int) *spares {
	return &spares{free: make(chan []byte, min(2+2*sessions, mostSpares))}
}

// newDealing deals rows into buffers that are all back when all rows were taken.
func newDealing(rows iter.Seq2[[]byte, error], s *spares, more, long chan<- struct{}) *dealing {
	return &dealing{rows: rows, spares: s, more: more, long: long, blocks: make(chan block, cap(s.free)), ended: make(chan struct{})}
}

// pieces are an item's rows for one who needs no whole ones.
func pieces(item dump.Item) iter.Seq2[[]byte, error] {
	if item.Pieces != nil {
		return item.Pieces
	}
	return item.Blocks
}

// deal reads until there are no more rows, or they fail, or a session does.
func (d *dealing) deal() {
	defer func() {
		if d.rest != nil {
			close(d.rest) // whoever takes it then sees how the rows have ended
		}
		close(d.blocks)
	}()
	if !d.dealAll() {
		return
	}
	if d.filled > 0 { // rows that came behind a block, or have no end
		d.pass(d.filled)
	}
	if d.buffer != nil {
		d.spares.free <- d.buffer
	}
}

// dealAll reports false where a session has failed.
func (d *dealing) dealAll() bool {
	for rows, err := range d.rows {
		if err != nil {
			d.broken.Store(&err)
			return true
		}
		for len(rows) > 0 {
			if d.buffer == nil {
				if d.buffer = d.spare(); d.buffer == nil {
					return false
				}
			}
			n := copy(d.buffer[d.filled:], rows)
			d.filled, rows = d.filled+n, rows[n:]
			if d.filled == len(d.buffer) || len(d.blocks) == 0 {
				if !d.put() {
					return false
				}
			}
		}
	}
	return true
}

// put deals the whole rows in the buffer, and what is left begins the next one. A full buffer that
// has no row's end is a part of a long one.
func (d *dealing) put() bool {
	end := bytes.LastIndexByte(d.buffer[:d.filled], '\n') + 1
	switch {
	case end == 0 && d.filled < len(d.buffer):
		return true
	case end == 0:
		d.pass(d.filled)
		return true
	}
	var next []byte
	begun := d.buffer[end:d.filled]
	if len(begun) > 0 {
		if next = d.spare(); next == nil {
			return false
		}
		copy(next, begun)
	}
	d.pass(end)
	d.buffer, d.filled = next, len(begun)
	return true
}

// pass passes on the first n bytes of the buffer, and the buffer with them.
func (d *dealing) pass(n int) {
	text := d.buffer[:n]
	whole := text[n-1] == '\n'
	switch {
	case d.rest != nil:
		d.rest <- text
	case whole:
		d.blocks <- block{text: text, lines: d.lines}
	default:
		d.rest = make(chan []byte, cap(d.spares.free))
		d.blocks <- block{text: text, lines: d.lines, rest: d.rest}
	}
	if d.rest != nil && whole {
		close(d.rest)
		d.rest = nil
	}
	d.lines += int64(bytes.Count(text, []byte{'\n'}))
	if d.dealt += int64(n); d.dealt >= manyRows && d.dealt-int64(n) < manyRows {
		tell(d.long)
	}
	d.buffer, d.filled = nil, 0
}

// spare returns a buffer to fill, or nil when a session has failed. Where it has to wait for one,
// the sessions are slower than the rows come.
func (d *dealing) spare() []byte {
	select {
	case p := <-d.spares.free:
		return p
	default:
	}
	if d.spares.made < cap(d.spares.free) {
		d.spares.made++
		return make([]byte, blockBytes)
	}
	if d.more != nil && d.dealt-d.asked >= spreadAfter {
		d.asked = d.dealt
		tell(d.more)
	}
	select {
	case p := <-d.spares.free:
		return p
	case <-d.ended:
		return nil
	}
}

// tell passes a word on that one may be waiting for. Where there is no room the same was told.
func tell(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
