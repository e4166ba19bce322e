package server

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/go-sql-driver/mysql"
)

// A connection without TLS to another machine may be with anybody: whoever is between can say that
// the server has no TLS. A password goes over it as the answer to a challenge, from which nobody
// has it. But caching_sha2_password, where the server does not have it in its cache, and
// sha256_password ask for the password itself, under an RSA key that who asks has sent: there that
// is refused, unless the key is one that was given beforehand. (Under TLS they ask for it too. With
// verify-ca and verify-full that is the server; else who is there is taken at his word, as by the
// mysql client.)

// ErrNoKey is returned where a server asks for the password itself over a connection that is not
// encrypted.
var ErrNoKey = errors.New("the server asks for the password over a connection that is not encrypted, under a key of its own, and may be anybody")

// watch has what is said in the clear to another machine watched, until the password is accepted.
// It returns what returns the connection that was made last, where it is one to another machine.
func watch(cc *mysql.Config) func() *watchedConn {
	dial := cc.DialFunc
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	var last *watchedConn
	cc.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		last = nil
		c, err := dial(ctx, network, address)
		if err != nil || isHere(c.RemoteAddr()) {
			return c, err
		}
		last = &watchedConn{Conn: c, pinned: cc.ServerPubKey != ""}
		return last, nil
	}
	return func() *watchedConn { return last }
}

// isHere tells whether an address is this machine's, or one on it.
func isHere(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}

// A watchedConn passes on what is read and written, and looks at the packets of the handshake:
// until the client asks for TLS, or the server accepts or refuses.
type watchedConn struct {
	net.Conn
	pinned   bool   // the key is given under which a password may leave
	greeted  bool   // by the server
	answered bool   // by the client: whether it wants TLS is known
	plain    bool   // it does not
	over     bool   // nothing is looked at any more
	held     []byte // what the server has sent and was not looked at
	refused  error
}

const clientSSL = 1 << 11 // the capability of that name, in the client's first packet

func (c *watchedConn) Write(b []byte) (int, error) {
	if !c.answered && len(b) >= 8 {
		c.answered = true
		c.plain = binary.LittleEndian.Uint32(b[4:])&clientSSL == 0
		c.over = !c.plain
		c.look()
	}
	if c.refused != nil {
		return 0, c.refused
	}
	return c.Conn.Write(b)
}

func (c *watchedConn) Read(b []byte) (int, error) {
	if c.refused != nil {
		return 0, c.refused
	}
	n, err := c.Conn.Read(b)
	if !c.over {
		c.held = append(c.held, b[:n]...)
		if c.look(); c.refused != nil {
			return 0, c.refused
		}
	}
	return n, err
}

// look looks at the packets that are whole.
func (c *watchedConn) look() {
	for len(c.held) >= 4 && !c.over {
		length := int(c.held[0]) | int(c.held[1])<<8 | int(c.held[2])<<16
		if len(c.held) < 4+length {
			return
		}
		if c.greeted && !c.answered {
			return // what it means hangs on the client's answer
		}
		payload := c.held[4 : 4+length]
		c.held = c.held[4+length:]
		switch {
		case !c.greeted:
			c.greeted = true
		case length == 0:
		case payload[0] == 0x00, payload[0] == 0xff: // accepted, refused
			c.over, c.held = true, nil
		case payload[0] == moreOfAuthentication && !c.harmless(payload[1:]):
			c.refused = ErrNoKey
		}
	}
}

const (
	moreOfAuthentication  = 1 // how a packet of the server's begins
	answerIsRight         = 3 // what it then says: that of the challenge, which is in the cache
	passwordItselfIsAsked = 4
)

// harmless tells whether more of the authentication asks for nothing but what is under a key that
// is given.
func (c *watchedConn) harmless(more []byte) bool {
	return len(more) == 1 && (more[0] == answerIsRight || more[0] == passwordItselfIsAsked && c.pinned)
}

// IsPlain tells whether the session is one without TLS with another machine.
func (c *Conn) IsPlain() bool { return c.watched != nil && c.watched.plain }

// WarnOfPlain says that others can read along.
func (c *Conn) WarnOfPlain(warn func(string), s Config) {
	if c.IsPlain() {
		warn(fmt.Sprintf("the connection to %s is not encrypted: whoever is between can read all data, guess at the password by what proves it, and answer in the server's place; MYSQL_TLS=required, or verify-full with MYSQL_TLS_CA", s.Address()))
	}
}

// pin has passwords leave under the key in a file, PEM, of a server's public key.
func pin(cc *mysql.Config, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return fmt.Errorf("%s holds no public key (PEM)", file)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("%s holds a key that is not RSA's", file)
	}
	cc.ServerPubKey = fmt.Sprintf("%x", block.Bytes)
	mysql.RegisterServerPubKey(cc.ServerPubKey, public)
	return nil
}
