package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

func TestRowsDoNotDependOnConnections(t *testing.T) {
	pg := testServer(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	db := pg.CreateDB(t)
	psqlLoad(t, pg, db, readFile(t, "testdata/rows.sql"))
	newRole(t, pg, db, "backup_alone")
	readsAll(t, pg, db, "backup_alone")
	for _, order := range []RowOrder{OrderKey, OrderPhysical} {
		want := dumpWith(t, Config{Conn: pg.DSN(db), Jobs: 1, RowOrder: order})
		for _, jobs := range []int{2, 4} {
			if !bytes.Equal(want, dumpWith(t, Config{Conn: pg.DSN(db), Jobs: jobs, RowOrder: order})) {
				t.Errorf("order %s: the dump by %d connections is not that by one", order, jobs)
			}
		}
		// The dumping role's only connection: everything is read by the first.
		pg.Psql(t, db, "ALTER ROLE backup_alone CONNECTION LIMIT 1")
		var warnings []string
		src, err := NewSource(Config{Conn: strings.Replace(pg.DSN(db), "postgres@", "backup_alone:x@", 1), RowOrder: order, Warn: func(s string) { warnings = append(warnings, s) }})
		if err != nil {
			t.Fatal(err)
		}
		var alone bytes.Buffer
		if err := src.Dump(context.Background(), &alone); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, alone.Bytes()) {
			t.Errorf("order %s: the dump by the only connection allowed is another", order)
		}
		if len(warnings) != 1 || !strings.Contains(warnings[0], "DUMP_JOBS") {
			t.Errorf("order %s: warnings %q, want one that names DUMP_JOBS", order, warnings)
		}
	}
	inKeyOrder := dumpWith(t, Config{Conn: pg.DSN(db), RowOrder: OrderKey})
	restored := pg.CreateDB(t)
	psqlLoad(t, pg, restored, inKeyOrder)
	if !bytes.Equal(inKeyOrder, dumpWith(t, Config{Conn: pg.DSN(restored), RowOrder: OrderKey})) {
		t.Error("a dump in key order of the restored database is not the dump it was restored from")
	}
}

// Somebody who waits to alter a table waits for the dump; the dump does not wait for him.
func TestAWaitingAlterDoesNotBlockTheDump(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	psqlLoad(t, pg, db, []byte("CREATE TABLE a AS SELECT i FROM generate_series(1, 1000) i; CREATE TABLE b AS TABLE a; CREATE TABLE c AS TABLE a;"))
	want := dumpWith(t, Config{Conn: pg.DSN(db)})

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	alter, _, err := server.Connect(ctx, mustConfig(t, pg.DSN(db)), db, server.ForLoading(0))
	if err != nil {
		t.Fatal(err)
	}
	defer alter.Close(ctx)
	altered := make(chan error, 1)
	var out bytes.Buffer
	src, err := NewSource(Config{Conn: pg.DSN(db), Debug: func(s string) {
		if !strings.Contains(s, "public.a:") {
			return
		}
		// The tables are locked by now and no row is read yet.
		go func() {
			altered <- server.Exec(ctx, alter.PgConn(), "BEGIN; LOCK TABLE public.b IN ACCESS EXCLUSIVE MODE; COMMIT")
		}()
		waits := fmt.Sprintf("SELECT count(*) FROM pg_locks WHERE pid = %d AND NOT granted", alter.PgConn().PID())
		for pg.Psql(t, db, waits) != "1" {
			if ctx.Err() != nil {
				t.Fatal("the other session never came to wait")
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Dump(ctx, &out); err != nil {
		t.Fatal(err)
	}
	if err := <-altered; err != nil {
		t.Errorf("the waiting session: %v", err)
	}
	if !bytes.Equal(want, out.Bytes()) {
		t.Error("the dump is another than without anybody waiting")
	}
}

func TestDumpFailsWhenItsSessionsAreTerminated(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	psqlLoad(t, pg, db, readFile(t, "testdata/rows.sql"))
	src, err := NewSource(Config{Conn: pg.DSN(db)})
	if err != nil {
		t.Fatal(err)
	}
	var seen int64
	err = src.Dump(context.Background(), writerFunc(func(p []byte) (int, error) {
		if seen < 10<<20 && seen+int64(len(p)) >= 10<<20 {
			pg.Psql(t, "postgres", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'breaking-backups'")
		}
		seen += int64(len(p))
		return len(p), nil
	}))
	// A server that cannot send says nothing; one that can says 57P01.
	if err == nil || !strings.Contains(err.Error(), "57P01") && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error %v, want the server's own (57P01) or the connection's end", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Pieces are cut at whole keys, in the order that the server has them in.
func TestKeysThatAreCutWhole(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	pg.Psql(t, db, `CREATE COLLATION cs (provider = icu, locale = 'cs');
		CREATE TABLE t (id char(40) COLLATE cs PRIMARY KEY, s text);
		INSERT INTO t SELECT x || i, repeat(md5(i::text), 5) FROM generate_series(1, 20000) i, unnest(ARRAY['h', 'ch', 'd']) x; ANALYZE`)
	for _, order := range []RowOrder{OrderAuto, OrderKey} {
		stream := dumpWith(t, Config{Conn: pg.DSN(db), RowOrder: order})
		if !bytes.Contains(stream, []byte("end 1 tables 60000 rows")) {
			t.Errorf("order %s: the dump ends with %s, want 60000 rows", order, stream[len(stream)-100:])
		}
	}
}

// A lock that is not to be had while rows leave ends the dump: they do not leave twice.
func TestALockThatIsMissedAmidRows(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	pg.Psql(t, db, `CREATE TABLE t (i integer, s text); ALTER TABLE t ALTER s SET STORAGE EXTERNAL;
		INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 30000) i; INSERT INTO t VALUES (0, repeat('y', 100000))`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	other, _, err := server.Connect(ctx, mustConfig(t, pg.DSN(db)), db, server.ForLoading(0))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.WithoutCancel(ctx))
	index := pg.Psql(t, db, "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = (SELECT reltoastrelid FROM pg_class WHERE oid = 't'::regclass)")
	src, err := NewSource(Config{Conn: pg.DSN(db), LockTimeout: time.Second, Debug: func(string) {
		if err := server.Exec(ctx, other.PgConn(), "BEGIN; REINDEX INDEX "+index); err != nil {
			t.Error(err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Dump(ctx, io.Discard); err == nil || !server.IsLocked(err) {
		t.Errorf("error %v, want the missed lock", err)
	}
}
