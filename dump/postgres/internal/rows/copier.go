package rows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A copier is a connection that does nothing but COPY … TO STDOUT.
//
// It reads the protocol itself, in large pieces. pgconn's CopyTo hands on one message, that is one
// row, at a time, and costs twice the processor time of pg_dump; here the rows stay in the buffer
// they were read into, where only the five bytes of each message's header are closed up.
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

// openCopiers opens n connections that see what the dump's own sees. Where the server has no room
// for them, there are fewer, and a warning.
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

// send sends statements, which may be before what came of earlier ones has been received.
func (c *copier) send(sql string) error {
	query, err := (&pgproto3.Query{String: sql}).Encode(nil)
	if err != nil {
		return err
	}
	_, err = c.conn.Write(query)
	return err
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
