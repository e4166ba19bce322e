package server

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"
)

// A row is a packet of the protocol, which goes on in the next one as often as the server likes;
// the driver joins what belongs together, and bounds none of it: its MaxAllowedPacket is of what it
// sends. So what comes is counted, under TLS too, from the statement on, and of a table's rows from
// the one before. max_allowed_packet of the session bounds what a server takes in, and not the rows
// that it sends, which several statements may have made, or a time when it was larger. What no
// setting of it allows, no server's own client takes either, and that is the bound.

// bound has the answers of the connection that cc makes bounded, in bytes. It returns what returns
// that connection.
func bound(cc *mysql.Config, most int64) func() *answeringConn {
	dial := cc.DialFunc
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	var last *answeringConn
	cc.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		last = nil
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		last = &answeringConn{Conn: c, most: most}
		return last, nil
	}
	return func() *answeringConn { return last }
}

// An answeringConn counts what it reads.
type answeringConn struct {
	net.Conn
	most int64
	read atomic.Int64 // since the last statement or row
}

func (c *answeringConn) Write(b []byte) (int, error) {
	c.begin()
	return c.Conn.Write(b)
}

func (c *answeringConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil && c.read.Add(int64(n)) > c.most {
		return 0, fmt.Errorf("the server sends a row, or the answer to a query, of more than %d bytes, which no client takes", c.most)
	}
	return n, err
}

// begin is called where something new begins: a statement, a row.
func (c *answeringConn) begin() { c.read.Store(0) }
