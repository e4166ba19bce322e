package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/dump"
)

// writeRows writes the tables' rows in the order given: read ahead on several
// connections that share the snapshot of main, written one piece after another.
// The bytes do not depend on how many connections there are. behind is called
// after the rows of each table.
func (s *Source) writeRows(ctx context.Context, main *pgx.Conn, c *catalog, out *dump.Writer, tables []*relation, behind func(*relation) error) (dump.Manifest, error) {
	pieces, err := c.pieces(ctx, tables, s.cfg.RowOrder, s.cfg.Debug)
	if err != nil {
		return nil, err
	}
	copiers, err := s.openCopiers(ctx, main, c.srv, min(s.cfg.Jobs, len(pieces)))
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, k := range copiers {
			k.close()
		}
	}()

	q := newPieceQueue(pieces)
	g, ctx := errgroup.WithContext(ctx)
	for _, k := range copiers {
		k.lend(max(readAheadBytes/bufferSize/len(copiers), 4))
		g.Go(func() error { return k.readAhead(ctx, q) })
	}
	var manifest dump.Manifest
	g.Go(func() error {
		var err error
		manifest, err = writePieces(ctx, main.PgConn(), out, tables, q, len(copiers) == 0, behind)
		return err
	})
	return manifest, g.Wait()
}

// readAheadBytes is how much the connections may have read, all together, before
// the writer gets to it: several pieces for each of the usual number of them.
const readAheadBytes = 48 << 20

// A pieceQueue hands out the pieces, each to one connection, and passes them to the
// writer in the same order.
type pieceQueue struct {
	mu     sync.Mutex
	pieces []piece           // not yet taken
	taken  chan *pieceStream // not yet written; closed after the last
}

func newPieceQueue(pieces []piece) *pieceQueue {
	q := &pieceQueue{pieces: pieces, taken: make(chan *pieceStream, 64)}
	if len(pieces) == 0 {
		close(q.taken)
	}
	return q
}

// take returns the next piece for a connection that may own so many buffers; nil after the last.
func (q *pieceQueue) take(ctx context.Context, buffers int) (*pieceStream, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pieces) == 0 {
		return nil, nil
	}
	s := &pieceStream{piece: q.pieces[0], data: make(chan buffer, buffers)}
	select {
	case q.taken <- s:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if q.pieces = q.pieces[1:]; len(q.pieces) == 0 {
		close(q.taken)
	}
	return s, nil
}

// next returns the next piece for the writer; nil after the last.
func (q *pieceQueue) next(ctx context.Context) (*pieceStream, error) {
	select {
	case s := <-q.taken:
		return s, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// A pieceStream carries a piece's rows from the connection that reads them to
// the writer. Its reader never waits for room in data, only for buffers.
type pieceStream struct {
	piece
	data  chan buffer
	tally tally // set before data is closed
	left  bool  // the reader could not lock the table; set before data is closed
}

// A buffer of rows, and where it goes back to.
type buffer struct {
	rows []byte
	home chan []byte
}

// readAhead reads pieces as long as there are any. Each is asked for while the
// one before it is read, so that the server never waits for us.
func (k *copier) readAhead(ctx context.Context, q *pieceQueue) error {
	defer context.AfterFunc(ctx, k.conn.stop)()
	s, err := k.askNext(ctx, q)
	if s != nil && err != nil {
		if _, said := k.receive(ctx, nil); said != nil {
			err = said
		}
	}
	for s != nil && err == nil {
		following, unsent := k.askNext(ctx, q)
		// A server that has ended the session said why before it hung up: its words go before our failure to ask.
		s.tally, err = k.receive(ctx, s.data)
		if isLocked(err) && unsent == nil {
			s.left = true
			err = k.beginAgain(ctx, following)
		}
		if err == nil {
			err = unsent
		}
		if err != nil {
			err = fmt.Errorf("copy the rows of %s: %w", s.table.name, copyError(err))
			break
		}
		close(s.data)
		s = following
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

func (k *copier) askNext(ctx context.Context, q *pieceQueue) (*pieceStream, error) {
	s, err := q.take(ctx, k.buffers)
	if s != nil {
		err = k.ask(s)
	}
	return s, err
}

// ask sends the query for a piece.
//
// Somebody may wait to change the table: he waits for main's lock, and our
// request would wait behind his. Main has its lock already. And ours is given
// back at once: a server has room for few locks, with PostgreSQL's own settings
// some 12,000 of all sessions.
func (k *copier) ask(s *pieceStream) error {
	lock := "LOCK TABLE ONLY " + s.table.name + " IN ACCESS SHARE MODE NOWAIT; "
	return k.send("SAVEPOINT piece; " + lock + "COPY " + s.query() + " TO STDOUT; ROLLBACK TO piece; RELEASE piece")
}

// beginAgain ends a transaction that failed and starts another on the same
// snapshot. What was asked for in the meantime failed with it and is asked for
// once more.
func (k *copier) beginAgain(ctx context.Context, following *pieceStream) error {
	if following != nil {
		if _, err := k.receive(ctx, nil); !isAborted(err) {
			return fmt.Errorf("the server went on in a failed transaction: %w", err)
		}
	}
	if err := k.exec(ctx, "ROLLBACK; "+k.snapshot); err != nil || following == nil {
		return err
	}
	return k.ask(following)
}

// writePieces writes each table's COPY block from its pieces. What no reader
// could read is read by main.
func writePieces(ctx context.Context, main *pgconn.PgConn, out *dump.Writer, tables []*relation, q *pieceQueue, alone bool, behind func(*relation) error) (dump.Manifest, error) {
	next := func() (*pieceStream, error) {
		if alone {
			if _, err := q.take(ctx, 0); err != nil {
				return nil, err
			}
		}
		return q.next(ctx)
	}
	s, err := next()
	if err != nil {
		return nil, err
	}
	var manifest dump.Manifest
	for _, r := range tables {
		columns := ""
		if list := r.copied(); len(list) > 0 {
			columns = " (" + strings.Join(list, ", ") + ")"
		}
		header, err := guarded("COPY " + r.into().name + columns + " FROM stdin;")
		if err != nil {
			return nil, err
		}
		if _, err := out.WriteString(header + "\n"); err != nil {
			return nil, err
		}
		entry := dump.Table{Name: r.name}
		for s != nil && s.table == r {
			t, err := writePiece(ctx, main, out, s, alone)
			if err != nil {
				return nil, err
			}
			entry.Rows += t.rows
			entry.Hash += t.sum
			if s, err = next(); err != nil {
				return nil, err
			}
		}
		if _, err := io.WriteString(out, "\\.\n\n"); err != nil {
			return nil, err
		}
		if err := behind(r); err != nil {
			return nil, err
		}
		manifest = append(manifest, entry)
	}
	return manifest, nil
}

func writePiece(ctx context.Context, main *pgconn.PgConn, out *dump.Writer, s *pieceStream, alone bool) (tally, error) {
	for !alone {
		select {
		case b, more := <-s.data:
			if more {
				if _, err := out.Write(b.rows); err != nil {
					return tally{}, err
				}
				b.home <- b.rows
				continue
			}
		case <-ctx.Done():
			return tally{}, context.Cause(ctx)
		}
		if !s.left {
			return s.tally, nil
		}
		break
	}
	rows := rowCounter{w: out}
	if _, err := main.CopyTo(ctx, &rows, "COPY "+s.query()+" TO STDOUT"); err != nil {
		return tally{}, fmt.Errorf("copy the rows of %s: %w", s.table.name, copyError(err))
	}
	return rows.tally, nil
}

// rowCounter passes COPY's text on, a row a Write, counting and hashing.
type rowCounter struct {
	w io.Writer
	tally
}

func (c *rowCounter) Write(row []byte) (int, error) {
	if err := c.add(row); err != nil {
		return 0, err
	}
	return c.w.Write(row)
}

// isLocked tells whether the server refused a lock because of another session's.
func isLocked(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "55P03" // lock_not_available
}

// isAborted tells whether the server refused a statement because an earlier one
// of the transaction failed.
func isAborted(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "25P02" // in_failed_sql_transaction
}

// copyError adds to the server's words what an operator can do.
func copyError(err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "42501" && strings.Contains(pe.Message, "row-level security") { // insufficient_privilege
		return fmt.Errorf("the role does not see all rows (row level security); give it BYPASSRLS: %w", err)
	}
	return lockRoom(err)
}
