package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
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
	small   []byte      // a buffer that the rows of small pieces are copied into, one after another; nil: none
	sorter  sorter
	begun   bool // the server has begun to send rows of what was received last
}

// bufferSize is the size of the buffers that rows are read into, in bytes.
const bufferSize = 1 << 20

// openCopiers opens n connections that see what the dump's own sees. Where the server has
// no room for them, there are fewer, and a warning.
func (d *data) openCopiers(ctx context.Context, n int) ([]*copier, error) {
	if n == 0 {
		return nil, nil
	}
	var snapshot string
	if err := d.conn.QueryRow(ctx, `SELECT pg_export_snapshot()`).Scan(&snapshot); err != nil {
		return nil, fmt.Errorf("export the snapshot: %w", err)
	}
	var copiers []*copier
	for range n {
		k, err := d.openCopier(ctx, snapshot)
		var pe *pgconn.PgError
		if server.IsCrowded(err) && errors.As(err, &pe) {
			d.cfg.Warn(fmt.Sprintf("the rows are read on fewer connections than DUMP_JOBS says: %s", pe.Message))
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

func (d *data) openCopier(ctx context.Context, snapshot string) (*copier, error) {
	conn, err := d.cfg.Open(ctx)
	if err != nil {
		return nil, err
	}
	pg := conn.PgConn()
	if err := pg.SyncConn(ctx); err != nil {
		server.HangUp(conn)
		return nil, err
	}
	hijacked, err := pg.Hijack()
	if err != nil {
		server.HangUp(conn)
		return nil, err
	}
	k := &copier{
		conn:     batched(hijacked.Conn),
		snapshot: "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT " + server.Literal(snapshot),
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
	return k.receive(ctx, nil, nil, nil)
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
	var line rowLine
	if err := line.add(row, true); err != nil {
		return err
	}
	t.rows++
	t.sum += dump.RowHash(trimFeed(row))
	return nil
}

// send sends statements, which may be before what came of earlier ones has been received.
func (c *copier) send(sql string) error {
	query, err := (&pgproto3.Query{String: sql}).Encode(nil)
	if err != nil {
		return err
	}
	_, err = c.conn.Write(query)
	return err
}

// receive reads what came of one send, and gives the rows of each COPY … TO STDOUT
// in it to the queue, as those of the piece that was asked for. planned, if there
// is one, is called once the server has planned the first.
func (c *copier) receive(ctx context.Context, q *pieceQueue, asked []*pieceStream, planned func() error) error {
	c.begun = false
	r := reading{copier: c, ctx: ctx, queue: q, asked: asked, planned: planned}
	var bytes int64
	for _, s := range asked {
		bytes += s.bytes
	}
	c.conn.expect(bytes)
	err := r.messages()
	switch {
	case r.failed != nil: // a server that ends the session says why and hangs up
		return r.failed
	case err == nil && len(r.asked) > 0:
		return fmt.Errorf("the server has sent no rows of %d tables that were asked for", len(r.asked))
	}
	return err
}

// reading is one receive under way.
type reading struct {
	*copier
	ctx     context.Context // of the receive that it is
	queue   *pieceQueue
	asked   []*pieceStream // not yet read
	planned func() error
	now     *pieceStream // being read
	tally
	copying bool  // of a small piece: its rows leave the buffer that they were read into
	sorting bool  // they go into the sorter
	kept    int   // bytes of rows at the head of buf, headers closed up
	failed  error // what the server answered
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
			if r.now == nil {
				return errors.New("the server sent rows where none were asked for")
			}
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
		case 'H':
			if err := r.begin(); err != nil {
				return err
			}
		case 'C':
			if tag, ok := strings.CutPrefix(string(bytes.TrimRight(body, "\x00")), "COPY "); ok {
				if err := r.end(tag); err != nil {
					return err
				}
			}
		case 'Z':
			return nil
		}
	}
}

// begin turns to the next piece: its COPY has been planned.
func (r *reading) begin() error {
	if len(r.asked) == 0 {
		return errors.New("the server sent rows where none were asked for")
	}
	r.copier.begun = true
	r.now, r.asked, r.tally = r.asked[0], r.asked[1:], tally{}
	r.sorting = len(r.now.key) > 0
	r.copying = r.sorting || r.now.bytes <= smallPiece
	r.sorter.key = r.now.key
	if planned := r.planned; planned != nil {
		r.planned = nil
		return planned()
	}
	return nil
}

// end hands over what is left of a piece, whose COPY ended with the number of rows given.
func (r *reading) end(rows string) error {
	if r.now == nil || rows != strconv.FormatInt(r.rows, 10) {
		return fmt.Errorf("the server says that it has sent %s rows; %d came", rows, r.rows)
	}
	if r.sorting {
		if err := r.sorter.each(true, r.keepApart); err != nil {
			return err
		}
	}
	if err := r.turn(); err != nil {
		return err
	}
	if len(r.asked) == 0 { // of this request
		r.seal()
	}
	r.queue.finish(r.now, r.tally, false)
	r.now = nil
	return nil
}

// keepApart copies rows of a small piece into the buffer for such, and hands them over.
func (r *reading) keepApart(rows []byte) error {
	for len(rows) > 0 {
		if len(r.small) == cap(r.small) {
			r.seal()
			fresh, err := r.free(r.ctx)
			if err != nil {
				return err
			}
			r.small = fresh[:0]
		}
		at := len(r.small)
		n := copy(r.small[at:cap(r.small)], rows)
		r.small, rows = r.small[:at+n], rows[n:]
		r.queue.put(r.now, buffer{rows: r.small[at:]})
	}
	return nil
}

// seal sends the buffer for small pieces home, behind all that was handed over of it.
func (r *reading) seal() {
	if r.small != nil {
		r.queue.put(r.now, buffer{whole: r.small, home: r.home})
		r.small = nil
	}
}

// row takes over the row of a CopyData message, whose body is of size bytes.
func (r *reading) row(size int) error {
	if size > len(r.have) {
		return r.longRow(size)
	}
	row := r.have[:size] // by far the most
	if err := r.add(row); err != nil {
		return err
	}
	r.have = r.have[size:]
	if r.copying {
		return r.keepSmall(row)
	}
	r.kept += copy(r.buf[r.kept:], row)
	return nil
}

// keepSmall takes over a row of a small piece.
func (r *reading) keepSmall(row []byte) error {
	if r.sorting && r.sorter.add(row) {
		return nil
	}
	if err := r.unsorted(); err != nil {
		return err
	}
	return r.keepApart(row)
}

// unsorted gives up sorting: the rows are more than was thought.
func (r *reading) unsorted() error {
	if !r.sorting {
		return nil
	}
	r.sorting = false
	return r.sorter.each(false, r.keepApart)
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
	if r.sorting && r.sorter.begin(size) {
		defer r.sorter.finish()
	} else if err := r.unsorted(); err != nil {
		return err
	}
	digest := xxhash.New()
	var line rowLine
	for size > 0 {
		if len(r.have) == 0 {
			if err := r.fill(); err != nil {
				return err
			}
		}
		part := r.have[:min(size, len(r.have))]
		size -= len(part)
		if err := line.add(part, size == 0); err != nil {
			return err
		}
		if size == 0 {
			digest.Write(trimFeed(part))
		} else {
			digest.Write(part)
		}
		r.have = r.have[len(part):]
		switch {
		case r.sorting:
			r.sorter.append(part)
		case r.copying:
			if err := r.keepApart(part); err != nil {
				return err
			}
		default:
			r.kept += copy(r.buf[r.kept:], part)
		}
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
	fresh, err := r.free(r.ctx)
	if err != nil {
		return err
	}
	n := copy(fresh, r.have)
	r.queue.put(r.now, buffer{rows: r.buf[:r.kept], whole: r.buf, home: r.home})
	r.buf, r.have, r.kept = fresh, fresh[:n], 0
	return nil
}

// lend lets the connection have n buffers more than the one it reads into.
func (c *copier) lend(n int) {
	c.buffers, c.home = n, make(chan []byte, n+1) // with the one that is read into
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
