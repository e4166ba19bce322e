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

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// written makes a whole dump of the statements given.
func written(t *testing.T, m dump.Manifest, sql string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := dump.NewWriter(&b, script.OneDatabase)
	io.WriteString(w, sql)
	if err := w.End(m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tableOf is the manifest's entry for a table with these rows.
func tableOf(name string, rows ...string) dump.Table {
	entry := dump.Table{Name: name, Rows: int64(len(rows))}
	for _, row := range rows {
		entry.Hash += dump.RowHash([]byte(row))
	}
	return entry
}

func TestLoadErrors(t *testing.T) {
	pg := testServer(t)
	table := "CREATE TABLE public.t (a integer, b text);\n"
	rows := "COPY public.t (a, b) FROM stdin;\n1\tx\n2\ty\n\\.\n"
	entry := tableOf("public.t", "1\tx", "2\ty")
	whole := written(t, dump.Manifest{entry}, table+rows)
	for name, c := range map[string]struct {
		stream []byte
		want   []string // parts of the message
	}{
		"a failing statement": {
			written(t, nil, table+"\nSELECT 1;\nALTER TABLE public.t\n  ADD COLUMN a text;\n"),
			[]string{"restore: line 5: ALTER TABLE public.t …: ", `column "a" of relation "t" already exists`},
		},
		"a failing row": {
			written(t, dump.Manifest{entry}, table+"COPY public.t (a, b) FROM stdin;\n1\tx\nzwei\ty\n\\.\n"),
			[]string{"line 3: COPY public.t (a, b) FROM stdin", `"zwei"`, "COPY t, line 2, column a", "now holds a part of the dump"},
		},
		"fewer rows than the manifest says": {
			written(t, dump.Manifest{{Name: "public.t", Rows: 3}}, table+rows),
			[]string{"table public.t has 2 rows, the dump's manifest says 3"},
		},
		"a table that the manifest does not list": {
			written(t, nil, table+rows),
			[]string{"the manifest lists 0 tables, the dump had rows for 1"},
		},
		"other rows than the manifest says": {
			written(t, dump.Manifest{tableOf("public.t", "1\tx", "2\tz")}, table+rows),
			[]string{"table public.t has other rows than the dump's manifest says", "now holds a part of the dump"},
		},
		"rows of another table than the manifest lists": {
			written(t, dump.Manifest{tableOf("public.u", "1\tx", "2\ty")}, table+rows),
			[]string{`the dump has rows of "public"."t" where its manifest lists table public.u`},
		},
		"a manifest that the last line knows nothing of": {
			written(t, nil, table+rows+"-- table \"public.t\" rows 2 hash 0000000000000000\n"),
			[]string{"the dump's manifest lists 1 tables with 2 rows, its last line says 0 with 0"},
		},
		"a transaction left open": {
			written(t, dump.Manifest{entry}, table+"COMMENT ON TABLE public.t IS 'x';\nBEGIN;\n"+rows+"COMMENT ON TABLE public.t IS 'y';\n"),
			[]string{"the transaction that line 4 begins is never committed", "now holds a part of the dump"},
		},
		"another transaction left open": {
			written(t, nil, table+"BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 1;\nSTART TRANSACTION;\nSELECT 1;\n"),
			[]string{"the transaction that line 7 begins is never committed"},
		},
		"cut within the rows":     {whole[:len(whole)-110], []string{"truncated"}},
		"cut before the trailer":  {whole[:bytes.LastIndex(whole, []byte("-- breaking-backups end"))], []string{"truncated"}},
		"cut within a statement":  {whole[:len(whole)/4], []string{"truncated"}},
		"changed":                 {bytes.Replace(whole, []byte("\tx\n"), []byte("\tz\n"), 1), []string{"damaged"}},
		"no dump":                 {[]byte("CREATE TABLE public.t (a integer);\n"), []string{"not a dump made by this version"}},
		"empty":                   {nil, []string{"not a dump made by this version"}},
		"of another engine":       {append([]byte("-- breaking-backups dump 1 mysql\n"), whole...), []string{"this is a dump of mysql, not of postgres"}},
		"a command for the shell": {written(t, nil, "\\! touch /tmp/never\n"), []string{"line 2", `\!`}},
		"a password in the error": {
			written(t, nil, "ALTER ROLE nobody_here WITH LOGIN PASSWORD 'SCRAM-SHA-256$secret';\n"),
			[]string{"ALTER ROLE nobody_here WITH LOGIN PASSWORD …: "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := restore(t, pg, LoadConfig{Database: pg.CreateDB(t)}, c.stream)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "zwei\ty") {
				t.Errorf("error %q tells a row", err)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("error %q tells a password", err)
			}
		})
	}
}

// Lines of a manifest count behind the last statement alone, and names of databases before the
// first: in between they are whatever somebody wrote.
func TestOwnLinesCountInTheirPlace(t *testing.T) {
	pg := testServer(t)
	stream := written(t, dump.Manifest{tableOf("public.t", "1")}, `CREATE TABLE public.t (a integer);
-- table "x" rows 5 hash 0000000000000000
-- table of contents
-- database "template1"
-- database template1
COPY public.t (a) FROM stdin;
1
\.
-- table "y" rows 5 hash 0000000000000000
-- table of what follows
COMMENT ON TABLE public.t IS 'x';
`)
	if err := restore(t, pg, LoadConfig{Database: pg.CreateDB(t)}, stream); err != nil {
		t.Error(err)
	}
}

func TestLoadStopsWhenCancelled(t *testing.T) {
	pg := testServer(t)
	l, err := NewLoader(LoadConfig{Conn: pg.DSN(pg.CreateDB(t))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	err = l.Load(ctx, bytes.NewReader(written(t, nil, "SELECT pg_sleep(600);\n")))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the context's", err)
	}
}

func TestLockTimeoutIsReported(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	pg.Psql(t, db, "CREATE TABLE busy (a integer)")
	holder, _, err := server.Connect(context.Background(), mustConfig(t, pg.DSN(db)), db, server.ForLoading(0))
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.Background())
	if err := server.Exec(context.Background(), holder.PgConn(), "BEGIN; LOCK TABLE public.busy IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	src, err := NewSource(Config{Conn: pg.DSN(db), LockTimeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	err = src.Dump(context.Background(), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "lock timeout") {
		t.Errorf("error %v, want one that names the lock timeout", err)
	}
	want := fmt.Sprintf(`in the way may be: process %d of "postgres" ("breaking-backups", idle in transaction) holds "public.busy" in a transaction since 20`, holder.PgConn().PID())
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one that ends in %s", err, want)
	}
}

func TestRowSecurityIsAnErrorNotALoss(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	newRole(t, pg, db, "half_blind")
	pg.Psql(t, db, `CREATE TABLE t AS SELECT 1 AS a;
		ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON t USING (false)`)
	readsAll(t, pg, db, "half_blind")
	src, err := NewSource(Config{Conn: strings.Replace(pg.DSN(db), "postgres://postgres@", "postgres://half_blind@", 1), Password: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Dump(context.Background(), io.Discard); err == nil || !strings.Contains(err.Error(), "BYPASSRLS") {
		t.Errorf("error %v, want one that names BYPASSRLS", err)
	}
}

func mustConfig(t *testing.T, conn string) *pgx.ConnConfig {
	t.Helper()
	cc, err := server.ParseConfig(conn, "", "", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cc
}

// A dump that is not as its manifest says is found before anything is changed, where it is read to
// its end first.
func TestVerifyCompares(t *testing.T) {
	l, err := NewLoader(LoadConfig{Conn: "host=127.0.0.1 dbname=none"})
	if err != nil {
		t.Fatal(err)
	}
	sql := "CREATE TABLE public.t (a integer);\nCOPY public.t (a) FROM stdin;\n1\n2\n\\.\n"
	for _, tt := range []struct {
		entry dump.Table
		want  string
	}{
		{tableOf("public.t", "2", "1"), ""},
		{tableOf("public.t", "1"), "table public.t has 2 rows, the dump's manifest says 1"},
		{tableOf("public.t", "1", "3"), "table public.t has other rows than the dump's manifest says"},
		{tableOf("public.u", "1", "2"), "its manifest lists table public.u"},
	} {
		err := l.Verify(bytes.NewReader(written(t, dump.Manifest{tt.entry}, sql)))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: %v, want %q", tt.entry, err, tt.want)
		}
	}
}
