package load

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync/atomic"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
)

// errNotTaken is returned where the server says that a COPY is done while there are rows of it.
var errNotTaken = errors.New("the server ended the COPY before it had all rows")

// pieces are an item's rows for one who needs no whole ones.
func pieces(item dump.Item) iter.Seq2[[]byte, error] {
	if item.Pieces != nil {
		return item.Pieces
	}
	return item.Blocks
}

// copyIn sends the rows of a COPY and returns those that the server took, and their bytes: it says
// how many, and what it was given says which.
func (s *session) copyIn(ctx context.Context, item dump.Item) (took dump.Tally, bytes int64, err error) {
	if s.spare == nil {
		s.spare = newSpare()
	}
	rows := newRowsReader(pieces(item), s.spare)
	s.reading.Go(rows.readAll)
	tag, err := s.conn.PgConn().CopyFrom(ctx, rows, item.Text)
	if broken := rows.end(); broken != nil { // the server only hears that there are no more rows, and says so
		err = broken
	}
	given := rows.whole.Load()
	if err == nil && given == nil {
		err = errNotTaken
	}
	if err != nil {
		s.spare = nil // some are still with those rows
		return dump.Tally{}, rows.bytes.Load(), err
	}
	return dump.Tally{Rows: tag.RowsAffected(), Hash: given.Hash}, rows.bytes.Load(), nil
}

// A rowsReader hands the rows that one goroutine reads to another, the driver's. The driver looks
// for what the server says, and for the end of its context, only between two reads; so while no
// rows come a read returns nothing, again and again, instead of waiting for them. A dump that
// stalls within a COPY keeps nobody from hearing that the server has ended the session.
//
// Who waits for whom: readAll waits for the rows, which are made to fail (see Run) once the load
// has failed, and for the driver's goroutine to take a piece or for end; Read waits for no longer
// than nothingYet.
type rowsReader struct {
	rows   iter.Seq2[[]byte, error]
	pieces chan []byte   // read and not yet taken
	spare  chan []byte   // to read into; all are back when all rows were taken, and serve the next COPY
	failed chan error    // of rows, once; it has room
	ended  chan struct{} // closed by end

	// Of the driver's goroutine, which may outlive a COPY that failed.
	piece []byte // what is left of the one that was taken
	taken []byte // the same with what has gone
	tally lineTally

	bytes  atomic.Int64               // that the driver was given
	broken atomic.Pointer[error]      // what it was told of rows
	whole  atomic.Pointer[dump.Tally] // of all rows, once it was told that there are no more
}

// rowsAhead is how many pieces of rowsPiece bytes are read ahead of the driver, whose own are as
// large.
const rowsAhead, rowsPiece = 2, 64 << 10

// nothingYet is how long a read waits for rows.
const nothingYet = 100 * time.Millisecond

// newSpare makes what is read into, for one COPY after another: dumps have ten thousand of them,
// most with few rows.
func newSpare() chan []byte {
	spare := make(chan []byte, rowsAhead)
	for range rowsAhead {
		spare <- make([]byte, rowsPiece)
	}
	return spare
}

func newRowsReader(rows iter.Seq2[[]byte, error], spare chan []byte) *rowsReader {
	return &rowsReader{rows: rows, pieces: make(chan []byte, rowsAhead), spare: spare, failed: make(chan error, 1), ended: make(chan struct{})}
}

// readAll reads until there are no more rows, or they fail, or until end.
func (k *rowsReader) readAll() {
	defer close(k.pieces)
	for rows, err := range k.rows {
		if err != nil {
			k.failed <- err
			return
		}
		for len(rows) > 0 {
			var p []byte
			select {
			case p = <-k.spare:
			case <-k.ended:
				return
			}
			n := copy(p, rows)
			rows = rows[n:]
			select {
			case k.pieces <- p[:n]: // it has room for all
			case <-k.ended:
				return
			}
		}
	}
}

// Read implements io.Reader, but that it may return nothing without an error; see above.
func (k *rowsReader) Read(p []byte) (int, error) {
	if len(k.piece) == 0 {
		if k.taken != nil {
			k.spare <- k.taken[:cap(k.taken)] // it has room for all
			k.taken = nil
		}
		timer := time.NewTimer(nothingYet)
		defer timer.Stop()
		select {
		case piece, more := <-k.pieces:
			if !more {
				return 0, k.last()
			}
			k.piece, k.taken = piece, piece
		case <-k.ended:
			return 0, io.ErrClosedPipe
		case <-timer.C:
			return 0, nil
		}
	}
	n := copy(p, k.piece)
	k.tally.Write(p[:n])
	k.piece = k.piece[n:]
	k.bytes.Add(int64(n))
	return n, nil
}

// last is how the rows have ended.
func (k *rowsReader) last() error {
	select {
	case err := <-k.failed:
		k.broken.Store(&err)
	default:
	}
	if err := k.broken.Load(); err != nil {
		return *err
	}
	k.whole.Store(&k.tally.Tally)
	return io.EOF
}

// end makes further reads fail and returns the error that an earlier one has returned.
func (k *rowsReader) end() error {
	close(k.ended)
	if err := k.broken.Load(); err != nil {
		return *err
	}
	return nil
}
