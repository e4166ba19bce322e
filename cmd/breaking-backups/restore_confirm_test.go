//go:build linux

package main

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

const question = "Restore one.sql into database "

// dumpedDB is a database with a table t, and beside it the file one.sql, its dump, in the test's
// folder.
func dumpedDB(t *testing.T) (pg *servers.PG, db string, env []string) {
	t.Helper()
	pg = servers.Postgres(t)
	db = pg.CreateDB(t)
	env = []string{"DATABASE_URL=" + pg.DSN(db), "LOG_FORMAT=text"}
	pg.Psql(t, db, "CREATE TABLE t AS SELECT 'dumped' AS mark")
	t.Chdir(t.TempDir())
	var said lines
	if code := run(t.Context(), []string{"dump", "--output", "one.sql"}, env, nil, &said, &said); code != exit.Done {
		t.Fatal(said.String())
	}
	return pg, db, env
}

// On a terminal --clean asks, after it has looked at everything and before anything is dropped.
// Anything but a yes leaves all as it was.
func TestCleanAsks(t *testing.T) {
	pg, db, env := dumpedDB(t)
	var said lines
	for _, test := range []struct {
		answer string // empty: nobody is asked
		flags  []string
		code   int
	}{
		{answer: "n\r", code: 1},
		{answer: "\r", code: 1},
		{answer: "yesterday\r", code: 1},
		{answer: "\x04", code: 1}, // the end of what is typed
		{answer: "y\r"},
		{answer: "YES\r"},
		{flags: []string{"--yes"}},
	} {
		t.Run(strings.Join(append(test.flags, strings.TrimSpace(test.answer)), " "), func(t *testing.T) {
			pg.Psql(t, db, "UPDATE t SET mark = 'living'")
			term, ended := newTTY(t, 80), make(chan int, 1)
			if test.answer != "" {
				term.types(t, "y\r") // before anybody is asked
			}
			go func() {
				ended <- run(t.Context(), append([]string{"restore", "--file", "one.sql", "--clean"}, test.flags...), env, term.File, &said, term.File)
			}()
			if test.answer != "" {
				if !poll(time.Minute, func() bool { return strings.Contains(term.screen.String(), question+db+" on 127.0.0.1:") }) {
					t.Fatalf("nobody is asked:\n%s", term.screen)
				}
				if !strings.Contains(term.screen.String(), "This drops:\r\n  everything in database "+db+": relation public.t\r\n") {
					t.Errorf("it is not said what is dropped:\n%s", term.screen)
				}
				if got := pg.Psql(t, db, "SELECT mark FROM t"); got != "living" {
					t.Errorf("while it is asked the table holds %q", got)
				}
				term.types(t, test.answer)
			}
			if code := <-ended; code != test.code {
				t.Errorf("exit code %d, want %d\n%s", code, test.code, term.screen)
			}
			want := "dumped"
			if test.code != 0 {
				want = "living"
			}
			if got := pg.Psql(t, db, "SELECT mark FROM t"); got != want {
				t.Errorf("the table holds %q, want %q\n%s", got, want, term.screen)
			}
			if asked := strings.Contains(term.screen.String(), question); asked != (test.answer != "") {
				t.Errorf("asked: %t\n%s", asked, term.screen)
			}
			if test.code != 0 && !poll(time.Minute, func() bool {
				return strings.Contains(term.screen.String(), "error: restore: what --clean drops was not agreed to, and nothing was changed\r\n")
			}) {
				t.Errorf("it does not say why it ends:\n%s", term.screen)
			}
		})
	}
}

// Where there is no terminal, or nothing to be dropped, nobody is asked; and a signal is an answer.
func TestCleanAsksNobody(t *testing.T) {
	pg, db, env := dumpedDB(t)
	var said lines
	pg.Psql(t, db, "DROP TABLE t")
	term := newTTY(t, 80)
	args := []string{"restore", "--file", "one.sql", "--clean"}
	if code := run(t.Context(), args, env, term.File, &said, term.File); code != exit.Done {
		t.Errorf("nothing to be dropped: exit code %d\n%s", code, term.screen)
	}
	if code := run(t.Context(), args, env, term.File, &said, &said); code != exit.Done {
		t.Errorf("stderr is no terminal: exit code %d\n%s", code, said.String())
	}
	null, err := os.Open(os.DevNull)
	mustDo(t, err)
	defer null.Close()
	if code := run(t.Context(), args, env, null, &said, term.File); code != exit.Done {
		t.Errorf("stdin is no terminal: exit code %d\n%s", code, said.String())
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, args, env, term.File, &said, term.File) }()
	if !poll(time.Minute, func() bool { return strings.Contains(term.screen.String(), question) }) {
		t.Fatalf("nobody is asked:\n%s", term.screen)
	}
	cancel(exit.Interruption{Signal: syscall.SIGINT})
	if code := <-ended; code != 130 || pg.Psql(t, db, "SELECT mark FROM t") != "dumped" {
		t.Errorf("a signal: exit code %d\n%s", code, term.screen)
	}
	term.types(t, "\r") // for the read that was left behind
}
