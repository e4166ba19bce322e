package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds on what visitors may cost, whoever they are: /healthz is open to all.
const (
	headerTime  = 5 * time.Second // for a request's head to come
	readTime    = 10 * time.Second
	writeTime   = 30 * time.Second
	mostHeader  = 16 << 10
	mostConns   = 128
	closingTime = 1500 * time.Millisecond // for answers under way, once ctx has ended
)

// Serve answers whoever comes to the listener until ctx ends, and closes it. The error is why it
// does so no more before that. Once ctx has ended it returns within two seconds.
//
// A connection is for one request: none can be held on to, and whoever waits for one of those that
// there may be at once has his turn soon. Health and metrics are asked for every few seconds, and
// need no more.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	answering, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler:                      handler,
		ReadHeaderTimeout:            headerTime,
		ReadTimeout:                  readTime,
		WriteTimeout:                 writeTime,
		IdleTimeout:                  headerTime,
		MaxHeaderBytes:               mostHeader,
		DisableGeneralOptionsHandler: true,
		BaseContext:                  func(net.Listener) context.Context { return answering },
		ErrorLog:                     log.New(io.Discard, "", 0), // it would tell of every visitor's mistakes
	}
	server.SetKeepAlivesEnabled(false)
	served := make(chan error, 1)
	go func() { served <- server.Serve(newBounded(listener, mostConns)) }()
	select {
	case err := <-served:
		_ = server.Close()
		return fmt.Errorf("answer on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	closing, cancelClosing := context.WithTimeout(answering, closingTime)
	defer cancelClosing()
	if server.Shutdown(closing) != nil {
		cancel()
		_ = server.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answer on %s: %w", listener.Addr(), err)
	}
	return nil
}

// bounded is a listener that accepts so many connections at once. More wait with the system.
type bounded struct {
	net.Listener
	room   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newBounded(l net.Listener, most int) *bounded {
	return &bounded{Listener: l, room: make(chan struct{}, most), closed: make(chan struct{})}
}

func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.room <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	conn, err := b.Listener.Accept()
	if err != nil {
		<-b.room
		return nil, err
	}
	return &boundedConn{Conn: conn, leave: sync.OnceFunc(func() { <-b.room })}, nil
}

func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

// boundedConn gives its place back once it is closed.
type boundedConn struct {
	net.Conn
	leave func()
}

func (c *boundedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
