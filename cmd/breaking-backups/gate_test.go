package main

import (
	"io"
	"net"
	"sync"
	"testing"
)

// gate stands between the program and its database: it lets so many bytes of the server's answers
// through, says that they have passed, and holds the rest until it is opened. So a test acts at a
// known place in the middle of a dump, with nothing to wait for but that.
type gate struct {
	listener net.Listener
	server   string
	reached  chan struct{} // closed when the bytes have passed
	opened   chan struct{}
	open     func()

	mu   sync.Mutex
	left int64
}

// newGate starts a gate before server that closes after so many bytes.
func newGate(t *testing.T, server string, bytes int64) *gate {
	t.Helper()
	return newGateAt(t, "127.0.0.1:0", server, bytes)
}

// newGateAt is newGate at an address of its own.
func newGateAt(t *testing.T, address, server string, bytes int64) *gate {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: listener, server: server, left: bytes, reached: make(chan struct{}), opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { g.serve(client) })
		}
	})
	t.Cleanup(func() {
		g.open()
		listener.Close()
		serving.Wait()
	})
	return g
}

// port is where the gate listens.
func (g *gate) port() int { return g.listener.Addr().(*net.TCPAddr).Port }

func (g *gate) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", g.server)
	if err != nil {
		return
	}
	defer server.Close()
	var asking sync.WaitGroup
	asking.Go(func() {
		_, _ = io.Copy(server, client)
		server.Close() // the client has gone
	})
	_, _ = io.Copy(gateWriter{g, client}, server)
	client.Close()
	asking.Wait()
}

type gateWriter struct {
	gate *gate
	w    io.Writer
}

func (w gateWriter) Write(p []byte) (int, error) {
	g := w.gate
	g.mu.Lock()
	passing := min(int64(len(p)), g.left)
	g.left -= passing
	shut := g.left == 0
	g.mu.Unlock()
	n, err := w.w.Write(p[:passing])
	if err != nil || !shut {
		return n, err
	}
	g.mu.Lock()
	select {
	case <-g.reached:
	default:
		close(g.reached)
	}
	g.mu.Unlock()
	<-g.opened
	m, err := w.w.Write(p[passing:])
	return n + m, err
}
