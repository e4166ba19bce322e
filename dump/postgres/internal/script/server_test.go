package script

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// TestPgDumpall loads what pg_dumpall writes of a server into another, through a Reader, and has
// pg_dumpall write that one: nothing may have changed.
func TestPgDumpall(t *testing.T) {
	a, b := servers.Postgres(t), servers.Postgres(t)
	for _, name := range []string{`plain`, `Upper`, `we"ird''; \connect x=y ö`, `dbname=x`, `off`} {
		a.Psql(t, "postgres", `CREATE DATABASE "`+strings.ReplaceAll(strings.ReplaceAll(name, "''", "'"), `"`, `""`)+`";`)
	}
	a.Psql(t, "postgres", `ALTER DATABASE off SET standard_conforming_strings = off; CREATE ROLE "r;\! x" PASSWORD 'it''s\';`)
	schema := schema
	if a.Psql(t, "postgres", "SELECT current_setting('server_version_num')::int >= 140000") == "t" {
		schema += atomic // bodies that are SQL and no string
	}
	before15 := a.Psql(t, "postgres", "SELECT current_setting('server_version_num')::int < 150000") == "t"
	a.Psql(t, "plain", schema)
	a.Psql(t, "off", `SET standard_conforming_strings = on;`+schema)
	want := pgDumpall(t, a)

	r := NewReader(strings.NewReader(want))
	conn := dial(t, b, "postgres")
	rows := int64(0)
	for {
		it, err := r.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		switch it.Kind {
		case Connect:
			conn = dial(t, b, it.Text)
		case Copy:
			tag, err := conn.CopyFrom(t.Context(), it.Data, it.Text)
			if err != nil || tag.RowsAffected() != it.Data.Rows() {
				t.Fatalf("line %d: %s: %d rows, the server took %d: %v", it.Line, it.Text, it.Data.Rows(), tag.RowsAffected(), err)
			}
			rows += tag.RowsAffected()
		case Statement:
			text := it.Text
			if before15 && strings.HasPrefix(text, "CREATE DATABASE ") { // pg_dumpall may be newer than the server it dumps
				text = strings.Replace(text, " LOCALE_PROVIDER = libc", "", 1)
			}
			_, err := conn.Exec(t.Context(), text).ReadAll()
			var pe *pgconn.PgError
			if errors.As(err, &pe) && pe.Code == "42710" && strings.HasPrefix(it.Text, "CREATE ROLE postgres") {
				continue
			}
			if err != nil {
				t.Fatalf("line %d: %s: %v", it.Line, it.Text, err)
			}
			encoding := strings.HasPrefix(it.Text, "set client_encoding to ") // the Reader's own, for \encoding
			if err := single(it.Text); err != nil && !encoding {
				t.Errorf("line %d: %s: single: %v", it.Line, it.Text, err)
			}
		}
	}
	if rows == 0 {
		t.Error("the dump had no rows")
	}
	if got := pgDumpall(t, b); got != want {
		t.Errorf("-dumped +loaded and dumped again:\n%s", cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
	}
}

func dial(t *testing.T, pg *servers.PG, database string) *pgconn.PgConn {
	t.Helper()
	cfg, err := pgconn.ParseConfig(pg.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Database = database
	conn, err := pgconn.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func pgDumpall(t *testing.T, pg *servers.PG) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(pg.BinDir, "pg_dumpall"))
	cmd.Env = append(pg.Env("postgres"), "LC_ALL=C.UTF-8")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pg_dumpall: %v: %s", err, stderr.String())
	}
	s := regexp.MustCompile(`(?m)^(\\(?:un)?restrict) \w+$`).ReplaceAllString(string(out), "$1 key")
	// Each password is hashed with a salt of its own.
	return regexp.MustCompile(`SCRAM-SHA-256\S+'`).ReplaceAllString(s, "SCRAM-SHA-256'")
}

// schema is full of text that could mislead a reader of its dump.
const schema = `
CREATE TABLE "t;""
\connect x" (id int PRIMARY KEY, "begin" text DEFAULT E'\\;''"$$', c int[] CHECK (c[1:id] IS NOT NULL));
INSERT INTO "t;""
\connect x" VALUES (1, E'\\.\n\\.\n', '{1}'), (2, E'\\N\t\r\n\b\\x;', '{2,3}'), (3, '-- ''', '{3,4}');
CREATE TABLE wide (v text);
INSERT INTO wide SELECT repeat(E'x\\.\n', n * 50) FROM generate_series(1, 200) n;
COMMENT ON TABLE wide IS E'\\! x\n\\.\n-- breaking-backups end\n/* '' $$ ";';
CREATE FUNCTION f(i int) RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  IF i > 1 THEN RETURN $$a;'$$; END IF;
  RETURN '\' || $q$;$q$;
END;
$f$;
CREATE VIEW v AS SELECT id AS "case", c[1:id] AS "HOST", 'a' 
  'b\' AS s, E'\\''' AS e, id OPERATOR(pg_catalog.+) -1 AS m FROM "t;""
\connect x";
CREATE RULE r AS ON INSERT TO v DO INSTEAD (SELECT 1; DELETE FROM wide);
SELECT lo_from_bytea(0, '\x5c2e0a00');
`

const atomic = `
CREATE FUNCTION atomic(i int DEFAULT 1) RETURNS int BEGIN ATOMIC
  SELECT 1;
  SELECT CASE WHEN i > 1 THEN (SELECT CASE i WHEN 2 THEN 3 END) ELSE 0 END;
END;
CREATE OR REPLACE PROCEDURE "end"() LANGUAGE sql BEGIN ATOMIC
  INSERT INTO wide VALUES ('BEGIN;'); DELETE FROM wide WHERE v = 'end;';
END;
`

// TestCopyAsServer asks a server which statements of TestCopyIsRecognised it expects rows for.
func TestCopyAsServer(t *testing.T) {
	pg := servers.Postgres(t)
	db := pg.CreateDB(t)
	pg.Psql(t, db, `CREATE TABLE t (x int); CREATE TABLE stdin (x int); CREATE TABLE a (x int); CREATE TABLE "from" (a int, "to" int, b int)`)
	conn := dial(t, pg, db)
	for _, tt := range copies {
		f := conn.Frontend()
		f.SendQuery(&pgproto3.Query{String: tt.sql})
		got := noRows
		for ready := false; !ready; {
			if err := f.Flush(); err != nil {
				t.Fatal(err)
			}
			msg, err := f.Receive()
			if err != nil {
				t.Fatal(err)
			}
			switch msg := msg.(type) {
			case *pgproto3.CopyInResponse:
				if got = textRows; msg.OverallFormat == 1 {
					got = binaryRows
				}
				f.Send(&pgproto3.CopyFail{Message: "enough"})
			case *pgproto3.ReadyForQuery:
				ready = true
			}
		}
		if got != tt.want {
			t.Errorf("%s: the server expects %s, want %s", tt.sql, got, tt.want)
		}
	}
}
