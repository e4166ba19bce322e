package rows

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"sync"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A pieceStream carries a piece's rows from the connection that reads them to the writer. data has
// room for all the buffers that the reader may own.
type pieceStream struct {
	piece
	data chan *rowBuffer
	dump.Tally
}

// readAhead reads the pieces that no other connection has taken, in their order.
func (w *Writer) readAhead(ctx context.Context, r *server.Conn, streams []*pieceStream) error {
	if err := r.Exec(ctx, "SAVEPOINT piece"); err != nil {
		return err
	}
	buffers := newRowBuffers()
	for {
		w.opening.Lock()
		if w.next == len(streams) {
			w.opening.Unlock()
			return nil
		}
		s := streams[w.next]
		w.next++
		opened := sync.OnceFunc(w.opening.Unlock)
		err := s.read(ctx, r, buffers, opened)
		opened()
		if err != nil {
			return fmt.Errorf("read the rows of %s: %w", s.table.Label, changed(r.Explain(ctx, err)))
		}
		if err := s.countRows(ctx, r); err != nil {
			return fmt.Errorf("read the rows of %s: %w", s.table.Label, err)
		}
		if err := w.settle(ctx, r, s.table); err != nil {
			return fmt.Errorf("read the rows of %s: %w", s.table.Label, err)
		}
		close(s.data)
	}
}

// read reads a piece's rows into buffers for the writer. It calls opened when the server has the
// table open, or will not have it open.
func (s *pieceStream) read(ctx context.Context, r *server.Conn, buffers *rowBuffers, opened func()) error {
	return r.Raw(func(raw server.DriverConn) error {
		reading := &rowReading{pieceStream: s, session: r, conn: raw, opened: opened, buffers: buffers}
		read := reading.all
		if inSlices(s.table) {
			read = newSlicedReading(reading).all
		}
		if err := read(ctx); err != nil {
			return err
		}
		return reading.flush(ctx)
	})
}

// A rowReading reads a piece's rows on a connection.
type rowReading struct {
	*pieceStream
	session *server.Conn
	conn    server.DriverConn // of the session
	opened  func()
	buffers *rowBuffers
	b       *rowBuffer // with rows that the writer does not have yet; nil: there are none
}

// all reads each row as a whole.
func (r *rowReading) all(ctx context.Context) error {
	return r.whole(ctx, queryOf(r.table, selected(r.table), "", r.conditions))
}

func (r *rowReading) whole(ctx context.Context, query string) (err error) {
	rows, err := r.query(ctx, query, max(1, len(r.table.Columns)))
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, rows.Close()) }()
	values := make([]driver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(values); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := r.add(ctx, values); err != nil {
			return err
		}
	}
}

// query asks for rows of so many columns.
func (r *rowReading) query(ctx context.Context, query string, columns int) (driver.Rows, error) {
	rows, err := r.conn.QueryContext(ctx, query, nil)
	r.opened()
	if err == nil && len(rows.Columns()) != columns {
		_ = rows.Close() // what is wrong is known
		return nil, fmt.Errorf("the server sends %d columns of %d", len(rows.Columns()), columns)
	}
	return rows, err
}

func (r *rowReading) exec(ctx context.Context, sql string) error {
	_, err := r.conn.ExecContext(ctx, sql, nil)
	return err
}

// add adds a row.
func (r *rowReading) add(ctx context.Context, values []driver.Value) error {
	r.session.NextRow()
	if err := r.buffer(ctx); err != nil {
		return err
	}
	if err := r.b.add(r.table, values, &r.Tally); err != nil || len(r.b.data) < bufferSize {
		return err
	}
	return r.flush(ctx)
}

// buffer makes sure that there is one to add to.
func (r *rowReading) buffer(ctx context.Context) (err error) {
	if r.b == nil {
		r.b, err = r.buffers.get(ctx)
	}
	return err
}

// flush gives the writer what has been added.
func (r *rowReading) flush(ctx context.Context) error {
	if r.b == nil {
		return nil
	}
	if err := r.buffers.fill(ctx, r.b); err != nil {
		return err
	}
	r.data <- r.b
	r.b = nil
	return nil
}

// settle makes sure that the rows just read were those of the table whose definition is in the
// dump, and lets others change it from now on. Until here the reader's transaction has kept them
// from it.
func (w *Writer) settle(ctx context.Context, r *server.Conn, t *catalog.Table) error {
	w.mu.Lock()
	identity, err := w.catalog.Identity(ctx, t)
	w.mu.Unlock()
	if err != nil {
		return err
	}
	if identity != t.Identity {
		w.mu.Lock()
		same, err := w.catalog.SameDefinition(ctx, t, identity)
		w.mu.Unlock()
		if err != nil {
			return err
		}
		if !same {
			return fmt.Errorf("%w (it was %s, and is %s)", catalog.ErrChanged, t.Identity, identity)
		}
	}
	return r.Exec(ctx, "ROLLBACK TO SAVEPOINT piece")
}

// changed says so where a server's error means that a table was changed.
func changed(err error) error {
	if server.IsError(err, server.CodeTableDefChanged, server.CodeNoSuchTable, server.CodeBadField, server.CodeNoSuchKey) {
		return fmt.Errorf("%w: %w", catalog.ErrChanged, err)
	}
	return err
}
