package postgres

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// A batchedConn waits for much to read before it wakes the program.
//
// A server sends rows in pieces of 8 KiB, and each would wake a reader that is done with it in microseconds: falling
// asleep and waking up was most of a dump's processor time (on 2 cores, for 870 MB: 3.9 s without this, 2.4 s with it).
// The kernel can wait for more, but does not know which piece is the last, so the wait is bounded.
type batchedConn struct {
	net.Conn
	setLowWater func(bytes int) error // nil where the kernel cannot
	waiting     bool                  // for lowWater bytes
	stopped     atomic.Bool
}

const (
	lowWater = 512 << 10             // bytes to wait for
	lowTime  = 20 * time.Millisecond // how long
)

// batched takes conn over.
func batched(conn net.Conn) *batchedConn {
	return &batchedConn{Conn: conn, setLowWater: lowWaterSetter(conn)}
}

// Read implements io.Reader.
func (b *batchedConn) Read(p []byte) (int, error) {
	if b.setLowWater == nil {
		return b.readUntil(time.Time{}, p)
	}
	if !b.waiting {
		if err := b.setLowWater(min(lowWater, len(p))); err != nil {
			return 0, err
		}
		b.waiting = true
	}
	n, err := b.readUntil(time.Now().Add(lowTime), p)
	if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || b.stopped.Load() {
		return n, err
	}
	b.waiting = false
	if err := b.setLowWater(1); err != nil {
		return 0, err
	}
	return b.readUntil(time.Time{}, p)
}

func (b *batchedConn) readUntil(deadline time.Time, p []byte) (int, error) {
	b.SetReadDeadline(deadline)
	if b.stopped.Load() { // before or after the line above: the read ends
		b.SetReadDeadline(past)
	}
	return b.Conn.Read(p)
}

// past is a deadline that has been missed.
var past = time.Unix(1, 0)

// stop ends a Read and a Write under way, and all later ones.
func (b *batchedConn) stop() {
	b.stopped.Store(true)
	b.SetDeadline(past)
}
