package mysql

import (
	"context"
	"net"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// farConn is a connection that says that it is to another machine.
type farConn struct{ net.Conn }

func (farConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 3306} }

func dialFar(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	return farConn{c}, err
}

// Whoever restores or dumps over a connection that others can read is told.
func TestWarnOfPlain(t *testing.T) {
	my := testServer(t)
	// A server of MariaDB's before 11.4 has no certificate; later ones and MySQL's make one.
	none := my.family == server.MariaDB && my.Query(t, "", "SELECT @@have_ssl") != "YES"
	for mode, want := range map[TLSMode]bool{TLSDisabled: true, TLSPreferred: none} {
		s := my.address
		s.TLS.Mode = mode
		cc, err := s.Driver()
		if err != nil {
			t.Fatal(err)
		}
		for _, far := range []bool{true, false} {
			if cc.DialFunc = nil; far {
				cc.DialFunc = dialFar
			}
			conn, err := server.Connect(t.Context(), cc)
			if err != nil {
				t.Fatal(err)
			}
			if got := conn.IsPlain(); got != (far && want) {
				t.Errorf("%s, to another machine %t: in the clear is %t", mode, far, got)
			}
			conn.Close()
		}
	}
}
