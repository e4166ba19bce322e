package server

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// farConn is a connection that says that it is to another machine.
type farConn struct{ net.Conn }

func (farConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5432} }

// pretend says that a server has no TLS, may say that we are let in, asks for the password in
// clear, and returns it if it gets it.
func pretend(c net.Conn, letIn bool) string {
	defer c.Close()
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(c, head); err != nil {
			return ""
		}
		if binary.BigEndian.Uint32(head[4:]) == 80877103 { // may it be TLS?
			c.Write([]byte{'N'})
			continue
		}
		io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(head))-8)
		break
	}
	if letIn { // as if all were said, after which the driver still answers
		c.Write([]byte{'R', 0, 0, 0, 8, 0, 0, 0, 0})
	}
	c.Write([]byte{'R', 0, 0, 0, 8, 0, 0, 0, 3})
	head := make([]byte, 5)
	if _, err := io.ReadFull(c, head); err != nil {
		return ""
	}
	password := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
	if _, err := io.ReadFull(c, password); err != nil {
		return ""
	}
	return strings.TrimSuffix(string(password), "\x00")
}

// Whoever is between us and another machine does not get the password by saying that there is no
// TLS.
func TestNoPasswordInTheClear(t *testing.T) {
	for _, tt := range []struct {
		mode  string
		near  bool
		letIn bool
		got   string // the password that it gets
		told  bool   // a warning
	}{
		{mode: "prefer"},
		{mode: "allow"},
		{mode: "prefer", letIn: true},
		{mode: "allow", letIn: true},
		{mode: "disable", got: "s3cret", told: true},
		{mode: "prefer", near: true, got: "s3cret"},
	} {
		t.Run(fmt.Sprintf("%s, near %t, let in %t", tt.mode, tt.near, tt.letIn), func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			var got string
			all.Go(func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					if password := pretend(c, tt.letIn); password != "" {
						got = password
					}
				}
			})
			told := false
			cc, err := ParseConfig(fmt.Sprintf("host=127.0.0.1 port=%d user=u dbname=d password=s3cret sslmode=%s", l.Addr().(*net.TCPAddr).Port, tt.mode), "", "", 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			GuardPassword(cc, func(string) { told = true })
			if !tt.near {
				cc.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
					c, err := new(net.Dialer).DialContext(ctx, network, address)
					return farConn{c}, err
				}
			}
			_, _, err = Connect(t.Context(), cc, "d", func(Info) string { return "" })
			l.Close()
			all.Wait()
			if err == nil || errors.Is(err, ErrCleartext) != (tt.got == "") {
				t.Errorf("error %v", err)
			}
			if got != tt.got || told != tt.told {
				t.Errorf("it got %q, want %q; a warning: %t", got, tt.got, told)
			}
		})
	}
}
