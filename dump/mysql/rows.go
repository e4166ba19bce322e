package mysql

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A rowWriter writes tables' rows in the order of the dump: read ahead on
// several connections that share a snapshot, written one piece after another.
// The bytes do not depend on how many connections there are.
type rowWriter struct {
	catalog *catalog.Reader
	mu      sync.Mutex // of catalog, for as long as the readers run
	readers []*server.Conn

	opening sync.Mutex // of next, until the table of the piece that it was is open
	next    int        // the first piece that nobody reads

	streams  []*pieceStream // those that are not written yet
	held     []byte         // room for the beginning of a table's rows
	manifest dump.Manifest
	packet   int            // the longest statement that every server takes, and more where a row is longer; in bytes
	longest  *catalog.Table // that has that row
}

// Why this ends: the writer waits for the first piece that is not written. All before it are, so its reader has been
// given back every buffer but those of this piece, which the writer takes: whoever reads it never waits for long for
// room, which each reader has for itself. If nobody reads it yet, all readers are done with those before, and one takes
// it next. Nobody waits for anybody's room with a lock held; what is done under mu waits for the server alone.
//
// Readers also wait for each other in the server: a table that one has open keeps out whoever alters it, and he keeps
// out, with all that he has locked by then, the readers that come after him. So they open the pieces' tables in the
// order of the pieces. Else one could have its table open and wait for the writer, who waits for a piece before, whose
// reader waits for him who waits for the first. As it is, whoever has a table open when another waits in the server
// reads a piece before that one's, and the writer comes to him first.

// A pieceStream carries a piece's rows from the connection that reads them to
// the writer. data has room for all the buffers that the reader may own.
type pieceStream struct {
	piece
	data chan *rowBuffer
	tally
}

func newRowWriter(ctx context.Context, c *catalog.Reader, readers []*server.Conn, databases []*catalog.Database) (*rowWriter, error) {
	w := &rowWriter{catalog: c, readers: readers}
	for _, db := range databases {
		for _, t := range db.Tables {
			if t.Rowless {
				continue
			}
			pieces, err := cutPieces(ctx, c, t)
			if err != nil {
				return nil, fmt.Errorf("cut %s by its key: %w", t.Label, changed(err))
			}
			for _, p := range pieces {
				w.streams = append(w.streams, &pieceStream{piece: p, data: make(chan *rowBuffer, readAheadBuffers)})
			}
		}
	}
	return w, nil
}

// run reads the rows while write writes, which calls table for each table in its order.
func (w *rowWriter) run(ctx context.Context, write func(context.Context) error) (dump.Manifest, error) {
	g, ctx := errgroup.WithContext(ctx)
	streams := w.streams
	for _, r := range w.readers[:min(len(w.readers), len(streams))] {
		g.Go(func() error { return w.readAhead(ctx, r, streams) })
	}
	g.Go(func() error { return write(ctx) })
	err := g.Wait()
	return w.manifest, err
}

// readAhead reads the pieces that no other connection has taken, in their order.
func (w *rowWriter) readAhead(ctx context.Context, r *server.Conn, streams []*pieceStream) error {
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

// read reads a piece's rows into buffers for the writer. It calls opened when the server has the table open, or will
// not have it open.
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
	if err := r.b.add(r.table, values, &r.tally); err != nil || len(r.b.data) < bufferSize {
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

// settle makes sure that the rows just read were those of the table whose
// definition is in the dump, and lets others change it from now on. Until here
// the reader's transaction has kept them from it.
func (w *rowWriter) settle(ctx context.Context, r *server.Conn, t *catalog.Table) error {
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

// table writes a table and its rows.
func (w *rowWriter) table(ctx context.Context, p *guard.Printer, t *catalog.Table) error {
	if t.Rowless {
		t.Zoned = nil
		catalog.CreateTable(p, t)
		return p.Err()
	}
	beginning := w.holdBack(p, t)
	t.Enter(p, w.catalog.Conn.Info)
	entry := dump.Table{Name: t.Name}
	if p.Qualified {
		entry.Name = t.Qualified()
	}
	// MariaDB builds a table's indexes all at once, at the end of the transaction that fills it from empty.
	into := inserter{p: p, header: insertHead(t), commits: !w.catalog.Conn.IsMariaDB()}
	for len(w.streams) > 0 && w.streams[0].table == t {
		s := w.streams[0]
		if err := s.write(ctx, &into); err != nil {
			return err
		}
		entry.Rows += s.rows
		entry.Hash += s.sum
		w.streams = w.streams[1:]
	}
	into.close()
	into.commit()
	beginning.end()
	t.Leave(p, w.catalog.Conn.Info)
	w.needs(t, len(into.header)+into.longest)
	if len(t.Later) > 0 && !t.Joined {
		p.Stmt("%s", ddl.AddElements(t.Name, t.Later))
	}
	w.manifest = append(w.manifest, entry)
	return p.Err()
}

// write writes a piece's rows as they come.
func (s *pieceStream) write(ctx context.Context, into *inserter) error {
	for {
		select {
		case b, more := <-s.data:
			if !more {
				return nil
			}
			into.add(b)
			b.release()
			if err := into.p.Err(); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
