package server

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// A server may ask for the password in clear (the methods password, ldap, pam, radius). Over a
// connection without TLS to another machine that is anybody's who is between, and who can also say
// that the server has no TLS: with sslmode=prefer, the default, and allow that is refused. Where
// sslmode=disable was said it is as it was said, with a warning.

// ErrCleartext is returned where a server asks for the password in clear over a connection that
// could be encrypted and is not.
var ErrCleartext = errors.New("the server asks for the password in clear over a connection that is not encrypted, and may be anybody")

// GuardPassword keeps cc's password from whoever is between us and another machine, and warns once
// where it, or what proves it, goes over a connection that others can read.
func GuardPassword(cc *pgx.ConnConfig, warn func(string)) {
	encrypts := cc.TLSConfig != nil
	for _, f := range cc.Fallbacks {
		encrypts = encrypts || f.TLSConfig != nil
	}
	tell := sync.OnceFunc(func() {
		warn(fmt.Sprintf("the connection to %s is not encrypted: whoever is between can read all data and what the password is proved by, and answer in the server's place; PGSSLMODE=require, or verify-full", HostName(cc.Host)))
	})
	build := cc.BuildFrontend
	cc.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		if isPlain(w) {
			r = &passwordGuard{r: r, clear: !encrypts, asked: tell}
		}
		return build(r, w)
	}
}

// isPlain tells whether a connection is one without TLS with another machine.
func isPlain(w io.Writer) bool {
	if _, encrypted := w.(*tls.Conn); encrypted {
		return false
	}
	c, ok := w.(net.Conn)
	if !ok {
		return false
	}
	tcp, ok := c.RemoteAddr().(*net.TCPAddr)
	return ok && !tcp.IP.IsLoopback()
}

// A passwordGuard passes on what a server sends, and looks at it until the session is ready, or
// refused.
type passwordGuard struct {
	r     io.Reader
	clear bool   // the password may go in clear
	asked func() // is called when the server asks for a password, or for what proves it
	held  []byte // of a message that has not come to its end
	over  bool
	err   error
}

func (g *passwordGuard) Read(b []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err := g.r.Read(b)
	if !g.over {
		g.held = append(g.held, b[:n]...)
		if g.look(); g.err != nil {
			return 0, g.err
		}
	}
	return n, err
}

// How a server's messages begin, and what one about authentication says.
const (
	authentication   = 'R'
	errorResponse    = 'E'
	readyForQuery    = 'Z'
	letIn            = 0
	passwordInClear  = 3
	messageHead      = 5 // bytes: the kind and the length, which counts itself
	authenticationID = 4
	longestMessage   = 1 << 20 // before a session is ready
)

// look looks at the messages that are whole.
func (g *passwordGuard) look() {
	for len(g.held) >= messageHead && !g.over {
		length := 1 + int64(binary.BigEndian.Uint32(g.held[1:]))
		if length < messageHead || length > longestMessage {
			g.err = fmt.Errorf("the server sent a message of %d bytes before it let anybody in", length)
			return
		}
		if int64(len(g.held)) < length {
			return
		}
		kind, body := g.held[0], g.held[messageHead:length]
		g.held = g.held[length:]
		switch {
		case kind == errorResponse || kind == readyForQuery:
			g.over = true
		case kind != authentication || len(body) < authenticationID:
		case binary.BigEndian.Uint32(body) == letIn: // whoever asks for more after that is still answered by the driver
		case binary.BigEndian.Uint32(body) == passwordInClear && !g.clear:
			g.err = ErrCleartext
		default:
			g.asked()
		}
	}
	if g.over {
		g.held = nil
	}
}
