package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A copier is a connection that does nothing but COPY … TO STDOUT.
//
// It reads the protocol itself, in large pieces. pgconn's CopyTo hands on one
// message, that is one row, at a time, and costs twice the processor time of
// pg_dump; here the rows stay in the buffer they were read into, where only the
// five bytes of each message's header are closed up.
type copier struct {
	conn     *batchedConn
	snapshot string // the statements that begin a transaction on the shared snapshot

	buf     []byte      // rows are read into it
	have    []byte      // in buf: read and not yet looked at
	buffers int         // how many more there may be in all
	made    int         // and are
	home    chan []byte // those that come back from the writer
}

// bufferSize is the size of the buffers that rows are read into, in bytes.
const bufferSize = 1 << 20

// openCopiers opens n connections that see what main sees. Where the server has
// no room for them, there are fewer, and a warning.
func (s *Source) openCopiers(ctx context.Context, main *pgx.Conn, srv server, n int) ([]*copier, error) {
	var snapshot string
	if err := main.QueryRow(ctx, `SELECT pg_export_snapshot()`).Scan(&snapshot); err != nil {
		return nil, fmt.Errorf("export the snapshot: %w", err)
	}
	var copiers []*copier
	for range n {
		k, err := s.openCopier(ctx, srv, main.Config().Database, snapshot)
		var pe *pgconn.PgError
		if errors.As(err, &pe) && pe.Code == "53300" { // too_many_connections
			s.cfg.Warn(fmt.Sprintf("the rows are read on fewer connections than DUMP_JOBS says: %s", pe.Message))
			break
		}
		if err != nil {
			for _, k := range copiers {
				k.close()
			}
			return nil, err
		}
		copiers = append(copiers, k)
	}
	return copiers, nil
}

func (s *Source) openCopier(ctx context.Context, srv server, database, snapshot string) (*copier, error) {
	conn, _, err := connect(ctx, s.conn, database)
	if err != nil {
		return nil, err
	}
	if err := execAll(ctx, conn.PgConn(), s.session(srv)); err != nil {
		conn.Close(ctx)
		return nil, fmt.Errorf("set up the session: %w", err)
	}
	pg := conn.PgConn()
	if err := pg.SyncConn(ctx); err != nil {
		return nil, err
	}
	hijacked, err := pg.Hijack()
	if err != nil {
		return nil, err
	}
	k := &copier{
		conn:     batched(hijacked.Conn),
		snapshot: "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT " + literal(snapshot),
		buf:      make([]byte, bufferSize),
	}
	defer context.AfterFunc(ctx, k.conn.stop)()
	if err := k.exec(ctx, k.snapshot); err != nil {
		k.close()
		return nil, fmt.Errorf("take the dump's snapshot: %w", err)
	}
	return k, nil
}

// exec runs statements that return nothing.
func (k *copier) exec(ctx context.Context, sql string) error {
	if err := k.send(sql); err != nil {
		return err
	}
	_, err := k.receive(ctx, nil)
	return err
}

// close ends the session. What the server thinks of it is of no interest.
func (c *copier) close() {
	c.conn.SetDeadline(time.Now().Add(time.Second))
	if msg, err := (&pgproto3.Terminate{}).Encode(nil); err == nil {
		c.conn.Write(msg)
	}
	c.conn.Close()
}

// tally counts and hashes rows.
type tally struct {
	rows int64
	sum  uint64 // of the rows' hashes, each without its line feed
}

// add takes in a row with its line feed.
func (t *tally) add(row []byte) error {
	if bytes.IndexByte(row, '\n') != len(row)-1 || string(row) == "\\.\n" {
		return errLooseRow
	}
	t.rows++
	t.sum += dump.RowHash(trimFeed(row))
	return nil
}

// errLooseRow is about a row that no server sends, unless it was made to: one
// that ends the COPY it is in, or is more than one line. What follows would be
// statements and commands to psql (CVE-2025-8714).
var errLooseRow = errors.New("the server sent a row that is not one line of COPY's format")

// send sends statements, which may be before what came of earlier ones has been received.
func (c *copier) send(sql string) error {
	query, err := (&pgproto3.Query{String: sql}).Encode(nil)
	if err != nil {
		return err
	}
	_, err = c.conn.Write(query)
	return err
}

// receive reads what came of one send, and gives the rows of a COPY … TO STDOUT
// to the writer, a buffer at a time.
func (c *copier) receive(ctx context.Context, writer chan<- buffer) (tally, error) {
	r := reading{copier: c, writer: writer, free: func() ([]byte, error) { return c.free(ctx) }}
	err := r.messages()
	if r.failed != nil { // a server that ends the session says why and hangs up
		err = r.failed
	}
	return r.tally, err
}

// reading is one COPY under way.
type reading struct {
	*copier
	tally
	writer chan<- buffer
	free   func() ([]byte, error)
	kept   int   // bytes of rows at the head of buf, headers closed up
	failed error // what the server answered
}

// messages reads up to and with ReadyForQuery.
func (r *reading) messages() error {
	for {
		for len(r.have) < 5 {
			if err := r.fill(); err != nil {
				return err
			}
		}
		kind, size := r.have[0], int(binary.BigEndian.Uint32(r.have[1:5]))-4
		if size < 0 {
			return fmt.Errorf("the server sent a message of %d bytes", size)
		}
		r.have = r.have[5:]
		if kind == 'd' {
			if err := r.row(size); err != nil {
				return err
			}
			continue
		}
		body, err := r.body(size)
		if err != nil {
			return err
		}
		switch kind {
		case 'E':
			var msg pgproto3.ErrorResponse
			if err := msg.Decode(body); err != nil {
				return err
			}
			r.failed = errors.Join(r.failed, pgconn.ErrorResponseToPgError(&msg))
		case 'Z':
			return r.turn()
		}
	}
}

// row takes over the row of a CopyData message, whose body is of size bytes.
func (r *reading) row(size int) error {
	if size <= len(r.have) { // by far the most
		row := r.have[:size]
		if err := r.add(row); err != nil {
			return err
		}
		r.kept += copy(r.buf[r.kept:], row)
		r.have = r.have[size:]
		return nil
	}
	return r.longRow(size)
}

// longRow takes over a row that is not in the buffer as a whole.
func (r *reading) longRow(size int) error {
	if size <= bufferSize/2 {
		for len(r.have) < size {
			if err := r.fill(); err != nil {
				return err
			}
		}
		return r.row(size)
	}
	digest := xxhash.New()
	for size > 0 {
		if len(r.have) == 0 {
			if err := r.fill(); err != nil {
				return err
			}
		}
		part := r.have[:min(size, len(r.have))]
		size -= len(part)
		if feed := bytes.IndexByte(part, '\n'); size == 0 && feed != len(part)-1 || size > 0 && feed >= 0 {
			return errLooseRow
		}
		if size == 0 {
			digest.Write(trimFeed(part))
		} else {
			digest.Write(part)
		}
		r.kept += copy(r.buf[r.kept:], part)
		r.have = r.have[len(part):]
	}
	r.rows++
	r.sum += digest.Sum64()
	return nil
}

func trimFeed(row []byte) []byte {
	if n := len(row); n > 0 && row[n-1] == '\n' {
		return row[:n-1]
	}
	return row
}

// body returns the body of a message other than CopyData.
func (r *reading) body(size int) ([]byte, error) {
	if size > bufferSize/2 {
		return nil, fmt.Errorf("the server sent a message of %d bytes where none so long is expected", size)
	}
	for len(r.have) < size {
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	body := r.have[:size]
	r.have = r.have[size:]
	return body, nil
}

// fill reads more. When the buffer has no room left, the rows in it are emitted
// and what is unread moves to a new one.
func (r *reading) fill() error {
	end := cap(r.buf) - cap(r.have) + len(r.have)
	if end >= len(r.buf)-len(r.buf)/8 {
		if err := r.turn(); err != nil {
			return err
		}
		end = len(r.have)
	}
	n, err := r.conn.Read(r.buf[end:])
	r.have = r.have[:len(r.have)+n]
	if n == 0 && err != nil {
		if err == io.EOF {
			err = fmt.Errorf("the server closed the connection: %w", io.ErrUnexpectedEOF)
		}
		return err
	}
	return nil
}

// turn makes room: the rows of the buffer go to the writer, and what is unread
// moves to another one, or where there are no rows to the head of the same.
func (r *reading) turn() error {
	if r.kept == 0 {
		r.have = r.buf[:copy(r.buf, r.have)]
		return nil
	}
	if r.writer == nil {
		return errors.New("the server sent rows where none were asked for")
	}
	fresh, err := r.free()
	if err != nil {
		return err
	}
	n := copy(fresh, r.have)
	r.writer <- buffer{r.buf[:r.kept], r.home} // it has room for all buffers there are
	r.buf, r.have, r.kept = fresh, fresh[:n], 0
	return nil
}

// lend lets the connection have n buffers more than the one it reads into.
func (c *copier) lend(n int) {
	c.buffers, c.home = n, make(chan []byte, n+1)
}

// free returns a buffer that is free, and waits for the writer where there is none.
func (c *copier) free(ctx context.Context) ([]byte, error) {
	if len(c.home) == 0 && c.made < c.buffers {
		c.made++
		return make([]byte, bufferSize), nil
	}
	select {
	case b := <-c.home:
		return b[:bufferSize], nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
