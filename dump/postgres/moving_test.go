package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A standby's dump is the primary's, but for the rows of unlogged tables, which it does not have.
func TestStandby(t *testing.T) {
	skipShort(t)
	pg := servers.Postgres(t) // the script makes roles
	db := newDB(t, pg)
	psqlLoad(t, pg, db, readFile(t, "testdata/database/objects.sql"))
	// What is unlogged, and what the primary has of it.
	unlogged := map[string]string{
		"shop.unlogged":          "COPY shop.unlogged (a) FROM stdin;\n\\.\n\n",
		"shop.unlogged_identity": "COPY shop.unlogged_identity (i, b) FROM stdin;\n1\t7\n\\.\n\n",
	}
	pg.Psql(t, db, "TRUNCATE shop.unlogged")
	if version(t, pg) >= 150000 {
		pg.Psql(t, db, "CREATE UNLOGGED SEQUENCE shop.not_logged")
		unlogged["shop.not_logged"] = "SELECT pg_catalog.setval('shop.not_logged', 1, false);\n"
		unlogged["shop.unlogged_identity_b_seq"] = "SELECT pg_catalog.setval('shop.unlogged_identity_b_seq', 7, true);\n"
		unlogged["shop.unlogged_identity_i_seq"] = "SELECT pg_catalog.setval('shop.unlogged_identity_i_seq', 1, true);\n"
	}
	// A standby has no locks against what their owner may do on the primary.
	pg.Psql(t, db, `CREATE ROLE somebody; CREATE SEQUENCE shop.begun; ALTER SEQUENCE shop.begun OWNER TO somebody; SELECT nextval('shop.begun');
		CREATE SEQUENCE shop.set; ALTER SEQUENCE shop.set OWNER TO somebody; SELECT setval('shop.set', 42, false);
		CREATE TABLE shop.theirs AS SELECT i AS id, repeat(md5(i::text), 5) AS s FROM generate_series(1, 60000) i; ALTER TABLE shop.theirs OWNER TO somebody`)
	standby := pg.Standby(t)
	standby.CatchUp(t, pg)
	var warnings []string
	src, err := NewSource(Config{Conn: standby.DSN(db), Jobs: 4, Warn: func(s string) { warnings = append(warnings, s) }})
	if err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	if err := src.Dump(t.Context(), &stream); err != nil {
		t.Fatal(err)
	}
	want := string(dumpDB(t, pg, db))
	for _, without := range unlogged {
		if !strings.Contains(want, without) {
			t.Fatalf("the primary's dump has no %q", without)
		}
		want = strings.Replace(want, without, "", 1)
	}
	content := func(dump string) string { // without the manifest
		before, _, _ := strings.Cut(dump, "\n-- breaking-backups manifest\n")
		return before
	}
	if diff := cmp.Diff(strings.Split(content(want), "\n"), strings.Split(content(stream.String()), "\n")); diff != "" {
		t.Errorf("the standby's dump (-primary +standby):\n%s", diff)
	}
	all := strings.Join(warnings, "\n")
	for name := range unlogged {
		if len(warnings) != len(unlogged) || !strings.Contains(all, name) {
			t.Errorf("warnings %q, want one for each unlogged relation", warnings)
		}
	}
	onPrimary, err := newSource(t, Config{Conn: pg.DSN(db)}).Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if survey, err := src.Survey(t.Context()); err != nil || survey != onPrimary || survey.Source == "" {
		t.Errorf("survey of the standby: %+v, %v; want the primary's, %+v", survey, err, onPrimary)
	}
}

// What is dropped while the dump begins is named, and the dump is one to try once more.
func TestDroppedWhileTheDumpBegins(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	pg.Psql(t, db, `CREATE TABLE kept (a integer); CREATE TABLE "dro""pped" (a integer)`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	other, _, err := server.Connect(ctx, mustConfig(t, pg.DSN(db)), db, server.ForLoading(0))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	if err := server.Exec(ctx, other.PgConn(), `BEGIN; DROP TABLE public."dro""pped"`); err != nil {
		t.Fatal(err)
	}
	src, err := NewSource(Config{Conn: pg.DSN(db)})
	if err != nil {
		t.Fatal(err)
	}
	dumped := make(chan error, 1)
	go func() { dumped <- src.Dump(ctx, io.Discard) }()
	// The dump has seen the table in the catalogue and waits for its lock.
	for pg.Psql(t, db, "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> "+fmt.Sprint(other.PgConn().PID())) == "0" {
		if ctx.Err() != nil {
			t.Fatal("the dump never came to wait")
		}
	}
	if err := server.Exec(ctx, other.PgConn(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-dumped; !errors.As(err, new(*dump.PassingError)) || !errors.Is(err, catalog.ErrGone) || !strings.Contains(err.Error(), `dro"pped`) {
		t.Errorf("error %v, want one that names the table and says: %v", err, catalog.ErrGone)
	}
}

// Roles are dumped without their passwords by a role that may not read those (one in
// pg_read_all_data may).
func TestClusterWithoutPasswords(t *testing.T) {
	pg := testServer(t)
	pg.Psql(t, "postgres", `CREATE ROLE sees_little LOGIN PASSWORD 'x'; CREATE ROLE has_password LOGIN PASSWORD 'secret'`)
	t.Cleanup(func() { pg.Psql(t, "postgres", "DROP ROLE sees_little, has_password") })
	var warnings []string
	src, err := NewSource(Config{
		Conn: strings.Replace(pg.DSN("postgres"), "postgres@", "sees_little:x@", 1), AllDatabases: true,
		AllowEmpty: true, Databases: []string{"postgres"}, Warn: func(s string) { warnings = append(warnings, s) },
	})
	if err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	if err := src.Dump(t.Context(), &stream); err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(warnings, "\n"); !strings.Contains(all, "pg_authid") {
		t.Errorf("warnings %q, want one that names pg_authid", warnings)
	}
	if sql := stream.String(); strings.Contains(sql, "SCRAM-SHA-256") || !strings.Contains(sql, "ALTER ROLE has_password WITH") {
		t.Errorf("want the role and no password:\n%s", sql[:min(len(sql), 3000)])
	}
}

// A dump holds one lock on a table and none on a sequence: servers have room for few.
func TestLocksAreGivenBack(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	const tables = 60 // more than a session keeps to itself (fast-path locks)
	pg.Psql(t, db, fmt.Sprintf(`DO $$ BEGIN FOR i IN 100..%d LOOP EXECUTE format('CREATE TABLE t%%s (id serial, a text)', i); END LOOP; END $$;
		CREATE TABLE zz_last AS SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 20000) i`, 99+tables))
	src, err := NewSource(Config{Conn: pg.DSN(db), Jobs: 4})
	if err != nil {
		t.Fatal(err)
	}
	looked := false
	err = src.Dump(t.Context(), writerFunc(func(p []byte) (int, error) {
		if looked || !bytes.Contains(p, []byte("COPY public.zz_last")) {
			return len(p), nil
		}
		looked = true
		// Every table of one row was read by now.
		got := pg.Psql(t, db, "SELECT count(*) FILTER (WHERE relkind = 'r'), count(*) FILTER (WHERE relkind = 'S') FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "+
			"WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND relname ~ '^t1'")
		if want := fmt.Sprintf("%d|0", tables); got != want {
			t.Errorf("locks on tables and sequences: %s, want %s", got, want)
		}
		return len(p), nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if !looked {
		t.Error("the last table's rows did not pass")
	}
}
