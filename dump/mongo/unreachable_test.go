package mongo

import (
	"crypto/tls"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
)

// What a server that cannot be used says is told with its likely cause.
func TestUnreachable(t *testing.T) {
	surveyed := func(uri string) string {
		src, err := NewSource(Config{Server: Server{URI: uri + "serverSelectionTimeoutMS=200"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = src.Survey(t.Context()); err == nil {
			t.Fatal("no error")
		}
		return err.Error()
	}
	member := startFake(t)
	member.set = "rs0"
	single := startFake(t)
	headless := startFake(t)
	headless.set, headless.primary = "rs0", "127.0.0.1:1"
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	encrypted := hangUpAt(t, func(c net.Conn) { _ = tls.Server(c, web.TLS).Handshake() })
	silent := hangUpAt(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) })
	talking := hangUpAt(t, func(c net.Conn) { _, _ = c.Write([]byte("no TLS here")) })
	const wrongSet = "no server that answers is of the replica set that the option replicaSet names: "
	for _, test := range []struct{ uri, want string }{
		{"mongodb://" + member.addr + "/?replicaSet=other&", wrongSet + member.addr + " is of rs0"},
		{"mongodb://" + single.addr + "/?replicaSet=rs0&", wrongSet + single.addr + " is of none"},
		{"mongodb://" + headless.addr + "/?replicaSet=rs0&", "no server is as the read preference primary wants it: " + headless.addr + " is RSSecondary"},
		{"mongodb://" + encrypted + "/?", "; the connection is not encrypted: does the server want it to be (tls=true)?"},
		{"mongodb://" + silent + "/?", "; the connection is not encrypted: does the server want it to be (tls=true)?"},
		{"mongodb://" + silent + "/?tls=true&", "; the connection is to be encrypted (tls=true, ssl=true or mongodb+srv://): does the server do without?"},
		{"mongodb://" + talking + "/?tls=true&", "; the connection is to be encrypted (tls=true, ssl=true or mongodb+srv://): does the server do without?"},
	} {
		if got := surveyed(test.uri); !strings.HasSuffix(got, test.want) || strings.Contains(got, "server selection") {
			t.Errorf("%s: %s, want … %s", test.uri, got, test.want)
		}
	}
}

// hangUpAt listens, does one thing with each connection, and ends it.
func hangUpAt(t *testing.T, do func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			do(c)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}
