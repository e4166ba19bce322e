package rows

import (
	"context"
	"slices"
	"sync"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A pieceQueue hands out the pieces, in requests, each to one connection, and passes what those
// read to the writer in the order of the pieces.
//
// It cannot come to a standstill. Readers never wait in it: requests are taken and rows handed over
// without any room being asked for. A reader waits for nothing but a buffer of its own, and its
// buffers are in its own pieces. The writer waits for one piece, before which all is written. If
// nobody has taken that piece, no reader owns a buffer that is out: all earlier ones have come
// home, and later pieces are not taken either; whoever is free takes it. If somebody has, he has
// received all that he asked for before it, since a reader receives in the order in which he asked;
// then his buffers are home or in this piece, which the writer empties.
type pieceQueue struct {
	mu       sync.Mutex
	arrived  sync.Cond // something for the writer
	pieces   []piece
	requests []request      // not yet taken
	streams  []*pieceStream // by piece; nil: not yet taken, or written
}

// A request is what is asked for at once: pieces from to to, without the last.
type request struct{ from, to int }

// A pieceStream carries a piece's rows from the connection that reads them to the writer. Its
// fields are guarded by the queue's mutex.
type pieceStream struct {
	piece
	ready []buffer
	done  bool
	tally dump.Tally // when done
	left  bool       // the reader could not lock the table: main reads it
}

// A buffer of rows: a part of a whole one, which goes home after it, or nothing does.
type buffer struct {
	rows  []byte
	whole []byte
	home  chan []byte // has room for all buffers that may come; nil: whole goes home with a later part
}

// Small tables are asked for together, or each would cost a round trip.
const (
	smallPiece    = 64 << 10 // bytes up to which a piece joins others
	requestBytes  = 1 << 20
	requestPieces = 64
)

func newPieceQueue(pieces []piece) *pieceQueue {
	q := &pieceQueue{pieces: pieces, streams: make([]*pieceStream, len(pieces))}
	q.arrived.L = &q.mu
	joins := func(p piece) bool { return !p.watched && p.clauses == "" && p.bytes <= smallPiece }
	for from := 0; from < len(pieces); {
		to, bytes := from+1, pieces[from].bytes
		for joins(pieces[from]) && to < len(pieces) && joins(pieces[to]) && to-from < requestPieces && bytes+pieces[to].bytes <= requestBytes {
			bytes += pieces[to].bytes
			to++
		}
		q.requests = append(q.requests, request{from, to})
		from = to
	}
	return q
}

// take returns the streams of the next request; nil after the last.
func (q *pieceQueue) take() []*pieceStream {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.requests) == 0 {
		return nil
	}
	r := q.requests[0]
	q.requests = q.requests[1:]
	for i := r.from; i < r.to; i++ {
		q.streams[i] = &pieceStream{piece: q.pieces[i]}
	}
	return slices.Clone(q.streams[r.from:r.to])
}

// put hands rows to the writer.
func (q *pieceQueue) put(s *pieceStream, b buffer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s.ready = append(s.ready, b)
	q.arrived.Signal()
}

// finish ends a piece. Of one that is left, nothing was put.
func (q *pieceQueue) finish(s *pieceStream, t dump.Tally, left bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s.done, s.tally, s.left = true, t, left
	q.arrived.Signal()
}

// get returns the next rows of piece i, or where there are no more its stream, done. It waits for
// either, or for the end of the context. The writer calls it.
func (q *pieceQueue) get(ctx context.Context, i int) (buffer, *pieceStream, error) {
	defer context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.arrived.Signal()
	})()
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if ctx.Err() != nil {
			return buffer{}, nil, context.Cause(ctx)
		}
		if s := q.streams[i]; s != nil && len(s.ready) > 0 {
			b := s.ready[0]
			s.ready = s.ready[1:]
			return b, nil, nil
		} else if s != nil && s.done {
			q.streams[i] = nil // it is of no more use
			return buffer{}, s, nil
		}
		q.arrived.Wait()
	}
}
