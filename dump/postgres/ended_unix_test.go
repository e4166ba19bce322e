//go:build unix

package postgres

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A server that ends a session midway, or dies, is what the error of a load tells, with the
// server's last words where it had any: while rows go to it, which is when writing fails first, and
// while it runs a statement.
func TestServerEndsMidway(t *testing.T) {
	for name, end := range map[string]struct {
		end  func(t *testing.T, pg *servers.PG, pid int)
		want string // behind "the connection to the server has ended"
	}{
		"one session": {func(t *testing.T, pg *servers.PG, pid int) {
			pg.Psql(t, "postgres", "SELECT pg_terminate_backend("+strconv.Itoa(pid)+")")
		}, ": FATAL: terminating connection due to administrator command (SQLSTATE 57P01)"},
		"at once": {func(t *testing.T, pg *servers.PG, _ int) {
			if err := pg.Stop(); err != nil {
				t.Error(err)
			}
		}, ": WARNING: terminating connection "},
		"a killed process": {func(t *testing.T, _ *servers.PG, pid int) {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		}, "; the server has not said why"},
		"another's crash": {func(t *testing.T, pg *servers.PG, _ int) {
			other, err := strconv.Atoi(pg.Psql(t, "postgres", "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"))
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(other, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		}, ": WARNING: terminating connection because of crash of another server process (SQLSTATE 57P02)"},
	} {
		for what, tt := range map[string]struct{ sql, more string }{
			"rows": {"CREATE TABLE public.t (a integer);\nCOPY public.t FROM stdin;\n", "1\n"}, "a statement": {"SELECT pg_sleep(600);\n", "\n"},
		} {
			t.Run(name+" within "+what, func(t *testing.T) {
				t.Parallel()
				pg := servers.Postgres(t)
				l, err := NewLoader(LoadConfig{Conn: pg.DSN("postgres"), Refused: func(r dump.Refusal) { t.Errorf("refused: %+v", r) }})
				if err != nil {
					t.Fatal(err)
				}
				pr, pw := io.Pipe()
				ended := make(chan error, 1)
				go func() { ended <- l.Load(t.Context(), pr) }()
				w := dump.NewWriter(pw, script.OneDatabase)
				if _, err := io.WriteString(w, tt.sql); err != nil {
					t.Fatal(err)
				}
				wrote := make(chan struct{})
				go func() { // more without end
					defer close(wrote)
					for block := strings.Repeat(tt.more, 1<<18); ; {
						if _, err := io.WriteString(w, block); err != nil {
							return
						}
					}
				}()
				end.end(t, pg, busyPID(t, pg, ended))
				err = <-ended
				pr.Close()
				<-wrote
				if !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "the connection to the server has ended"+end.want) {
					t.Errorf("error %v, want %s", err, end.want)
				}
			})
		}
	}
}

// busyPID waits for a session of a load that runs a COPY or sleeps, and returns its process.
func busyPID(t *testing.T, pg *servers.PG, ended <-chan error) int {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			t.Fatal("the load has ended before it should: ", err)
		case <-tick.C:
		}
		pid := pg.Psql(t, "postgres", "SELECT pid FROM pg_stat_activity WHERE application_name = 'breaking-backups' AND state = 'active' AND (query LIKE 'COPY%' OR query LIKE '%pg_sleep%') LIMIT 1")
		if n, err := strconv.Atoi(pid); err == nil {
			return n
		}
	}
}

// A dump whose server ends its sessions, or stops, says so, with the server's last words where it
// had any.
func TestServerStopsWithinADump(t *testing.T) {
	pg := servers.Postgres(t)
	pg.Psql(t, "postgres", "CREATE TABLE t AS SELECT i, repeat('x', 1000) AS x FROM generate_series(1, 100000) i")
	for _, jobs := range []int{1, 3} {
		src, err := NewSource(Config{Conn: pg.DSN("postgres"), Jobs: jobs})
		if err != nil {
			t.Fatal(err)
		}
		written := 0
		err = src.Dump(t.Context(), writerFunc(func(p []byte) (int, error) {
			if written += len(p); written-len(p) < 5_000_000 && written >= 5_000_000 {
				pg.Psql(t, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'breaking-backups'")
			}
			return len(p), nil
		}))
		// A session that is ended while it is held up with rows has no words; which of several that
		// is, is chance.
		words := err != nil && strings.Contains(err.Error(), "FATAL: terminating connection due to administrator command")
		if !words && (!errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "the server has not said why")) {
			t.Errorf("%d jobs: error %v", jobs, err)
		}
	}
	src, err := NewSource(Config{Conn: pg.DSN("postgres")})
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	err = src.Dump(t.Context(), writerFunc(func(p []byte) (int, error) {
		if written += len(p); written-len(p) < 5_000_000 && written >= 5_000_000 {
			return len(p), pg.Stop()
		}
		return len(p), nil
	}))
	if !errors.Is(err, ErrEnded) { // it has no words while it is held up with rows
		t.Errorf("error %v", err)
	}
}
