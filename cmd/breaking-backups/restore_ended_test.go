//go:build linux

package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A question may stand for hours, and the session beside it be ended meanwhile, by the server's
// limit for idle ones or a firewall's. That is told as what it is, before anything is dropped.
func TestSessionEndsBesideTheQuestion(t *testing.T) {
	for engine, ends := range map[string]func(*testing.T) (db string, env []string, end func(), living func() bool){
		"postgres": func(t *testing.T) (string, []string, func(), func() bool) {
			pg, db, env := dumpedDB(t)
			return db, env, func() {
				pg.Psql(t, "postgres", "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '"+db+"'")
			}, func() bool { return pg.Psql(t, db, "SELECT mark FROM t") == "dumped" }
		},
		"mariadb": func(t *testing.T) (string, []string, func(), func() bool) {
			my := servers.MariaDB(t)
			db := my.CreateDB(t)
			my.Query(t, db, "CREATE TABLE t AS SELECT 'dumped' AS mark")
			t.Chdir(t.TempDir())
			env := append(my.Env(db), "DB_TYPE=mariadb", "LOG_FORMAT=text")
			var said lines
			if code := run(t.Context(), []string{"dump", "--output", "one.sql"}, env, nil, &said, &said); code != exit.Done {
				t.Fatal(said.String())
			}
			return db, env, func() {
				for id := range strings.FieldsSeq(my.Query(t, "", "SELECT id FROM information_schema.processlist WHERE db = '"+db+"'")) {
					my.Query(t, "", "KILL "+id)
				}
			}, func() bool { return my.Query(t, db, "SELECT mark FROM t") == "dumped" }
		},
	} {
		t.Run(engine, func(t *testing.T) {
			db, env, end, living := ends(t)
			term, ended := newTTY(t, 80), make(chan int, 1)
			var said lines
			go func() {
				ended <- run(t.Context(), []string{"restore", "--file", "one.sql", "--clean"}, env, term.File, &said, term.File)
			}()
			if !poll(time.Minute, func() bool { return strings.Contains(term.screen.String(), question+db) }) {
				t.Fatalf("nobody is asked:\n%s", term.screen)
			}
			end()
			term.types(t, "y\r")
			if code := <-ended; code != 1 || !living() {
				t.Errorf("exit code %d, what was there is there: %t\n%s", code, living(), term.screen)
			}
			told := regexp.MustCompile(`error: restore: (line 4: )?nothing was changed: the session has ended since it looked at the target: .*connection`)
			if !poll(time.Minute, func() bool { return told.MatchString(term.screen.String()) }) {
				t.Errorf("it is not said what has ended, and that nothing was changed:\n%s", term.screen)
			}
		})
	}
}
