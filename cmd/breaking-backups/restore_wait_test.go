//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

// starting is a server that lets nobody in before it is ready.
type starting struct {
	destination
	ready time.Duration
	then  error // what it says once it is
	hangs bool  // it does not even refuse
	asked int
	began time.Time
}

func (s *starting) Reach(ctx context.Context) error {
	s.asked++
	if s.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if time.Since(s.began) < s.ready {
		return &dump.NotReadyError{Err: errors.New("the database system is starting up")}
	}
	return s.then
}

type notes []string

func (n *notes) Hear(_ context.Context, e event.Event) error {
	if note, ok := e.What.(event.Note); ok {
		*n = append(*n, note.Text)
	}
	return nil
}

// A server is waited for as long as it says that it is starting and the time is not over; of
// anything else the restore hears at once.
func TestAwaitServer(t *testing.T) {
	denied := errors.New("password authentication failed")
	for name, test := range map[string]struct {
		server starting
		limit  time.Duration
		asked  int // at least
		took   time.Duration
		told   int
		want   string
	}{
		"not asked for":         {server: starting{ready: time.Hour}},
		"ready":                 {server: starting{}, limit: time.Minute, asked: 1},
		"ready later":           {server: starting{ready: 20 * time.Second}, limit: time.Minute, asked: 6, took: 20 * time.Second, told: 1},
		"never ready":           {server: starting{ready: time.Hour}, limit: time.Minute, asked: 12, took: time.Minute, told: 1, want: "restore: after waiting 1m0s: the database system is starting up"},
		"refuses":               {server: starting{then: denied}, limit: time.Minute, asked: 1, want: "restore: password authentication failed"},
		"refuses once it is up": {server: starting{ready: 9 * time.Second, then: denied}, limit: time.Minute, asked: 3, took: 9 * time.Second, told: 1, want: "restore: password authentication failed"},
		"hangs":                 {server: starting{hangs: true}, limit: time.Minute, asked: 1, took: time.Minute, want: "restore: after waiting 1m0s: context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told notes
				began := time.Now()
				test.server.began = began
				err := awaitServer(t.Context(), &test.server, test.limit, audience.NewTeller(event.Run{}, secret.Redactor{}, &told, hint))
				if got := errorText(err); got != test.want {
					t.Errorf("error %q, want %q", got, test.want)
				}
				if took := time.Since(began); took < test.took || took > test.took+mostReachWait*3/2 || test.took == test.limit && took != test.limit {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				if test.server.asked < test.asked || len(told) != test.told {
					t.Errorf("asked %d times, want %d; told %q", test.server.asked, test.asked, told)
				}
			})
		})
	}
}

// A signal ends the wait.
func TestAwaitServerInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(7*time.Second, func() { cancel(errors.New("interrupted")) })
		err := awaitServer(ctx, &starting{ready: time.Hour, began: time.Now()}, time.Minute, audience.NewTeller(event.Run{}, secret.Redactor{}, nil, hint))
		if got := errorText(err); !strings.HasSuffix(got, "interrupted") {
			t.Errorf("error %q", got)
		}
	})
}

// A server that nobody can reach when the restore begins is waited for, and then restored into;
// without --wait, or where it does not come, the restore fails.
func TestRestoreWaits(t *testing.T) {
	pg, db, env := dumpedDB(t)
	pg.Psql(t, db, "DROP TABLE t")
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	mustDo(t, err)
	address := nobody.Addr().String()
	mustDo(t, nobody.Close())
	env[0] = fmt.Sprintf("DATABASE_URL=postgres://%s@%s/%s?sslmode=disable", pg.Superuser, address, db)
	restore := func(said *lines, flags ...string) int {
		return run(t.Context(), append([]string{"restore", "--file", "one.sql"}, flags...), env, nil, said, said)
	}
	for _, test := range []struct {
		flags []string
		want  string
	}{{nil, "connection refused"}, {[]string{"--wait", "1s"}, "error: restore: after waiting 1s: "}} {
		var said lines
		if code := restore(&said, test.flags...); code != 1 || !strings.Contains(said.String(), test.want) || !strings.Contains(said.String(), "hint: does the server run") {
			t.Errorf("%q: exit code %d\n%s", test.flags, code, said.String())
		}
	}
	var said lines
	ended := make(chan int, 1)
	go func() { ended <- restore(&said, "--wait", "1m") }()
	if !poll(time.Minute, func() bool {
		return strings.Contains(said.String(), "INF waiting for the server, which is not ready yet most=1m")
	}) {
		t.Fatalf("it does not say that it waits:\n%s", said.String())
	}
	newGateAt(t, address, net.JoinHostPort(pg.Host, strconv.Itoa(pg.Port)), 1<<40)
	if code := <-ended; code != 0 || pg.Psql(t, db, "SELECT mark FROM t") != "dumped" {
		t.Errorf("exit code %d\n%s", code, said.String())
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
