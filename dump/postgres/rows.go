package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

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

	streams := make([]*pieceStream, len(pieces))
	for i, p := range pieces {
		streams[i] = &pieceStream{piece: p, data: make(chan buffer)}
	}
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for _, k := range copiers {
		g.Go(func() error { return k.readAhead(ctx, streams, &next) })
	}
	var manifest dump.Manifest
	g.Go(func() error {
		var err error
		manifest, err = writePieces(ctx, main.PgConn(), out, tables, streams, len(copiers) == 0, behind)
		return err
	})
	return manifest, g.Wait()
}

// A pieceStream carries a piece's rows from the connection that reads them to
// the writer. data is unbuffered: how far a reader runs ahead is bounded by the
// buffers it owns.
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

// readAheadBuffers is how many buffers a connection may have filled before the
// writer gets to them: more than a piece, so that the next can be begun.
const readAheadBuffers = 2 * pieceBytes / pieceSize

// readAhead reads the pieces that no other connection has taken, in their order.
func (k *copier) readAhead(ctx context.Context, streams []*pieceStream, next *atomic.Int64) error {
	home := make(chan []byte, readAheadBuffers)
	made := 0
	get := func() ([]byte, error) {
		if made < readAheadBuffers && len(home) == 0 {
			made++
			return make([]byte, pieceSize), nil
		}
		select {
		case b := <-home:
			return b[:pieceSize], nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	for {
		i := int(next.Add(1)) - 1
		if i >= len(streams) {
			return nil
		}
		s := streams[i]
		emit := func(rows []byte) error {
			select {
			case s.data <- buffer{rows, home}:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		// Somebody may wait to change the table: he waits for main's lock, and
		// our request would wait behind his. Main has its lock already.
		lock := "LOCK TABLE ONLY " + s.table.name + " IN ACCESS SHARE MODE NOWAIT; "
		var err error
		// And ours is given back at once: a server has room for few locks, with
		// PostgreSQL's own settings some 12,000 of all sessions.
		s.tally, err = k.copyOut(ctx, "SAVEPOINT piece; "+lock+"COPY "+s.query+" TO STDOUT; ROLLBACK TO piece; RELEASE piece", get, emit)
		if isLocked(err) {
			s.left = true
			err = k.beginAgain(ctx)
		}
		if err != nil {
			return fmt.Errorf("copy the rows of %s: %w", s.table.name, copyError(err))
		}
		close(s.data)
	}
}

// writePieces writes each table's COPY block from its pieces. What no reader
// could read is read by main.
func writePieces(ctx context.Context, main *pgconn.PgConn, out *dump.Writer, tables []*relation, streams []*pieceStream, alone bool, behind func(*relation) error) (dump.Manifest, error) {
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
		for len(streams) > 0 && streams[0].table == r {
			t, err := writePiece(ctx, main, out, streams[0], alone)
			if err != nil {
				return nil, err
			}
			entry.Rows += t.rows
			entry.Hash += t.sum
			streams = streams[1:]
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
	if _, err := main.CopyTo(ctx, &rows, "COPY "+s.query+" TO STDOUT"); err != nil {
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

// copyError adds to the server's words what an operator can do.
func copyError(err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "42501" && strings.Contains(pe.Message, "row-level security") { // insufficient_privilege
		return fmt.Errorf("the role does not see all rows (row level security); give it BYPASSRLS: %w", err)
	}
	return lockRoom(err)
}
