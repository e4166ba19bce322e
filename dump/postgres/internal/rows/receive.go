package rows

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// receive reads what came of one send, and gives the rows of each COPY … TO STDOUT in it to the
// queue, as those of the piece that was asked for. planned, if there is one, is called once the
// server has planned the first.
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
	return server.HungUp(r.words, err)
}

// reading is one receive under way.
type reading struct {
	*copier
	ctx     context.Context // of the receive that it is
	queue   *pieceQueue
	asked   []*pieceStream // not yet read
	planned func() error
	now     *pieceStream // being read
	dump.Tally
	copying bool   // of a small piece: its rows leave the buffer that they were read into
	sorting bool   // they go into the sorter
	kept    int    // bytes of rows at the head of buf, headers closed up
	failed  error  // what the server answered
	words   string // its last, where it ends the session without an error
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
		case 'N':
			var msg pgproto3.NoticeResponse
			if err := msg.Decode(body); err != nil {
				return err
			}
			r.words = cmp.Or(server.LastWords(msg.Severity, msg.Message, msg.Code), r.words)
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
	r.now, r.asked, r.Tally = r.asked[0], r.asked[1:], dump.Tally{}
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
	if r.now == nil || rows != strconv.FormatInt(r.Rows, 10) {
		return fmt.Errorf("the server says that it has sent %s rows; %d came", rows, r.Rows)
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
	r.queue.finish(r.now, r.Tally, false)
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
	if err := addRow(&r.Tally, row); err != nil {
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
	r.Rows++
	r.Hash += digest.Sum64()
	return nil
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

// fill reads more. When the buffer has no room left, the rows in it are emitted and what is unread
// moves to a new one.
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

// turn makes room: the rows of the buffer go to the writer, and what is unread moves to another
// one, or where there are no rows to the head of the same.
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
