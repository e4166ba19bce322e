//go:build unix

package postgres

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A load that has succeeded is on the server's disk, though its commits wait for nothing: it is all
// there after a crash.
func TestLoadIsDurable(t *testing.T) {
	pg := servers.Postgres(t)
	pg.Psql(t, "postgres", "ALTER SYSTEM SET synchronous_commit = on")
	pg.Psql(t, "postgres", "SELECT pg_reload_conf()")
	db := newDB(t, pg)
	pg.Psql(t, db, "CREATE TABLE t (a integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000); CREATE VIEW v AS TABLE t")
	stream := dumpDB(t, pg, db)
	restored := newDB(t, pg)
	// Nobody else writes the log now.
	writer, err := strconv.Atoi(pg.Psql(t, "postgres", "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(writer, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(writer, syscall.SIGCONT) }) // or is gone
	if err := restore(t, pg, LoadConfig{Database: restored, NoAnalyze: true}, stream); err != nil {
		t.Fatal(err)
	}
	// A server of which one process was killed begins anew, with what is on its disk.
	if err := syscall.Kill(writer, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for again := time.Now().Add(time.Minute); ; {
		var lives string
		conn, err := pgx.Connect(t.Context(), pg.DSN(restored))
		if err == nil {
			err = conn.QueryRow(t.Context(), "SELECT pid::text FROM pg_stat_activity WHERE backend_type = 'walwriter' AND pid <> $1", writer).Scan(&lives)
			conn.Close(t.Context())
		}
		if err == nil {
			break
		}
		if time.Now().After(again) {
			t.Fatal(err)
		}
	}
	if got := pg.Psql(t, restored, "SELECT count(*) FROM v"); got != "1000" {
		t.Errorf("after a crash there are %s rows", got)
	}
}
