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
)

// bigTables fills tables of several pieces each, in every way of being cut.
const bigTables = `
CREATE TABLE filler AS SELECT i, md5(i::text) || md5((i + 1)::text) || md5((i + 2)::text) AS s FROM generate_series(1, 90000) i;
CREATE TABLE in_order (id bigint PRIMARY KEY, s text); INSERT INTO in_order SELECT i, s FROM filler ORDER BY i;
UPDATE in_order SET s = s || '!' WHERE id BETWEEN 5000 AND 6000;
CREATE TABLE shuffled (id integer PRIMARY KEY, s text); INSERT INTO shuffled SELECT i, s FROM filler ORDER BY s;
CREATE TABLE by_text (k text COLLATE "C", n integer, s text, PRIMARY KEY (k, n)); INSERT INTO by_text SELECT 'it''s \ ' || (i / 100), i, s FROM filler;
CREATE TABLE by_time (at timestamptz PRIMARY KEY, s text); INSERT INTO by_time SELECT '2024-01-01'::timestamptz + i * interval '1 minute', s FROM filler;
CREATE TABLE one_value (k integer, n integer, s text, PRIMARY KEY (k, n)); INSERT INTO one_value SELECT 7, i, s FROM filler;
CREATE TYPE own AS ENUM ('a', 'b');
CREATE TABLE by_enum (k own, n integer, s text, PRIMARY KEY (k, n)); INSERT INTO by_enum SELECT (ARRAY['a', 'b'])[1 + i % 2]::own, i, s FROM filler;
CREATE TABLE no_key AS TABLE filler;
CREATE TABLE long_rows (id integer PRIMARY KEY, s text);
ALTER TABLE long_rows ALTER s SET STORAGE EXTERNAL;
INSERT INTO long_rows SELECT i, repeat(md5(i::text), 20000 * (i % 4) + 8190 + i) FROM generate_series(1, 24) i;
CREATE TABLE empty (id integer PRIMARY KEY);
VACUUM ANALYZE;
`

func TestRowsDoNotDependOnConnections(t *testing.T) {
	pg := testServer(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	db := pg.CreateDB(t)
	psqlLoad(t, pg, db, []byte(bigTables))
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

func TestRowsAreCutIntoPieces(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	psqlLoad(t, pg, db, []byte(bigTables))
	conn, srv, err := connect(context.Background(), mustConfig(t, pg.DSN(db)), db, forLoading(0))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	execAll(context.Background(), conn.PgConn(), "BEGIN")
	c, err := readCatalog(context.Background(), conn, srv, &selection{}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	list, err := newData(conn, srv, readConfig{Order: Auto, Debug: func(s string) { t.Log(s) }}).pieces(context.Background(), c.tables)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, p := range list {
		got[strings.TrimPrefix(p.table.name, "public.")]++
	}
	byPlace := 2
	if srv.version < 140000 { // which cannot scan a range of blocks: see cutByPlace
		byPlace = 1
	}
	for name, least := range map[string]int{"in_order": 3, "shuffled": 2, "by_text": 2, "by_time": 2, "no_key": byPlace, "one_value": 1, "by_enum": 1, "long_rows": 1, "empty": 1} {
		if got[name] < least {
			t.Errorf("%s is read in %d pieces, want at least %d", name, got[name], least)
		}
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
	alter, _, err := connect(ctx, mustConfig(t, pg.DSN(db)), db, forLoading(0))
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
			altered <- execAll(ctx, alter.PgConn(), "BEGIN; LOCK TABLE public.b IN ACCESS EXCLUSIVE MODE; COMMIT")
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
	psqlLoad(t, pg, db, []byte(bigTables))
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
	other, _, err := connect(ctx, mustConfig(t, pg.DSN(db)), db, forLoading(0))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.WithoutCancel(ctx))
	index := pg.Psql(t, db, "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = (SELECT reltoastrelid FROM pg_class WHERE oid = 't'::regclass)")
	src, err := NewSource(Config{Conn: pg.DSN(db), LockTimeout: time.Second, Debug: func(string) {
		if err := execAll(ctx, other.PgConn(), "BEGIN; REINDEX INDEX "+index); err != nil {
			t.Error(err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Dump(ctx, io.Discard); err == nil || !isLocked(err) {
		t.Errorf("error %v, want the missed lock", err)
	}
}
