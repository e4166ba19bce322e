package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/status"
)

// served is an address at which h is served until the test ends, or stop is called, which returns
// what Serve does.
func served(t *testing.T, h http.Handler) (addr string, stop func() error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, listener, h) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String(), stop
}

func TestServe(t *testing.T) {
	addr, stop := served(t, New(Config{Board: newBoard()}))
	problems, err := Ask(t.Context(), addr)
	if err != nil || len(problems) != 1 { // its backup is of a day long gone
		t.Errorf("%v, %v", problems, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, err := Ask(t.Context(), addr); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("behind its end: %v", err)
	}
}

// A listener that fails is an error, and not a silence.
func TestServeOfAListenerThatFails(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if err := Serve(t.Context(), listener, http.NotFoundHandler()); !errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), listener.Addr().String()) {
		t.Error(err)
	}
}

// Whoever holds connections and says nothing, or little, keeps nobody else away for longer than a
// request's head may take.
func TestServeTheSlow(t *testing.T) {
	addr, _ := served(t, New(Config{Board: status.NewBoard()}))
	var slow []net.Conn
	for i := range mostConns {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i%2 == 0 {
			fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
		}
		slow = append(slow, conn)
	}
	began := time.Now()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 4 * headerTime}
	resp, err := client.Get("http://" + addr + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if took := time.Since(began); took > headerTime*3/2 {
		t.Errorf("it took %s", took)
	}
	for _, conn := range slow {
		_ = conn.SetReadDeadline(time.Now().Add(2 * headerTime))
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("a slow one is still there: %v", err)
			break
		}
	}
}

// A request's head has a bound, and a connection is for one request.
func TestServeTheGreedy(t *testing.T) {
	addr, _ := served(t, New(Config{Board: status.NewBoard()}))
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		_, _ = fmt.Fprintf(conn, "GET /run/%s HTTP/1.1\r\nHost: localhost\r\n\r\n", strings.Repeat("x", 1<<20))
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%v, %v", resp, err)
	}
	again, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	fmt.Fprintf(again, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")
	resp, err = http.ReadResponse(bufio.NewReader(again), nil)
	if err != nil || resp.StatusCode != 200 || !resp.Close {
		t.Errorf("%v, %v", resp, err)
	}
}

// The end does not wait for who takes no answer.
func TestServeEnds(t *testing.T) {
	asked := make(chan struct{})
	addr, stop := served(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	<-asked
	began := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}

// What is not this program, or not there, is neither healthy nor unhealthy.
func TestAskOthers(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		code       int
	}{
		{"another program", "hello", 200},
		{"another program with a status", `{"status": "up"}`, 200},
		{"another program that is away", `{"status": "down"}`, 503},
		{"a proxy", "<html>", 503},
		{"nothing there", "404 page not found", 404},
		{"one that says both", `{"status": "unhealthy", "problems": []}`, 503},
		{"one that says the other both", `{"status": "ok", "problems": [{"job": "app"}]}`, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(tt.code)
				_, _ = io.WriteString(w, tt.body)
			}))
			defer server.Close()
			problems, err := Ask(t.Context(), server.Listener.Addr().String())
			if !errors.Is(err, ErrNoAnswer) || problems != nil {
				t.Errorf("%v, %v", problems, err)
			}
		})
	}
	redirecting := httptest.NewServer(http.RedirectHandler("http://192.0.2.1/", http.StatusFound))
	defer redirecting.Close()
	if _, err := Ask(t.Context(), redirecting.Listener.Addr().String()); !errors.Is(err, ErrNoAnswer) || !strings.Contains(err.Error(), "302") {
		t.Error(err)
	}
	if _, err := Ask(t.Context(), "no address"); !errors.Is(err, ErrNoAnswer) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Ask(ctx, redirecting.Listener.Addr().String()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestReachable(t *testing.T) {
	for addr, want := range map[string]string{
		":8080": "127.0.0.1:8080", "0.0.0.0:8080": "127.0.0.1:8080", "[::]:8080": "127.0.0.1:8080",
		"127.0.0.1:8080": "127.0.0.1:8080", "[::1]:8080": "[::1]:8080", "backup.internal:80": "backup.internal:80",
	} {
		if got, err := reachable(addr); err != nil || got != want {
			t.Errorf("%s: %s, %v", addr, got, err)
		}
	}
}
