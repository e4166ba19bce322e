package postgres

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// A load in one transaction makes what any other does, what it drops first included.
func TestSingleTransaction(t *testing.T) {
	pg := testServer(t)
	pg.Psql(t, "postgres", `SET allow_in_place_tablespaces = on; CREATE TABLESPACE "else where" LOCATION ''`)
	t.Cleanup(func() { pg.Psql(t, "postgres", `DROP TABLESPACE "else where"`) })
	db, restored := newDB(t, pg), newDB(t, pg)
	psqlLoad(t, pg, db, readFile(t, "testdata/jobs.sql"))
	pg.Psql(t, restored, "CREATE TABLE in_the_way (a integer)")
	stream := dumpDB(t, pg, db)
	if err := restore(t, pg, LoadConfig{Database: restored, Clean: true, SingleTransaction: true}, stream); err != nil {
		t.Fatal(err)
	}
	if again := dumpDB(t, pg, restored); !bytes.Equal(stream, again) {
		t.Error("a dump of the restored database differs")
	}
}

// Whatever ends a load in one transaction, the target is as it was, and the error says so and names
// the statement.
func TestSingleTransactionUndone(t *testing.T) {
	pg := testServer(t)
	a, rows := rowsOf("public.a", 3)
	other := a
	other.Hash++
	deferred := "ALTER TABLE ONLY public.a\n    ADD CONSTRAINT k PRIMARY KEY (id);\nALTER TABLE public.b ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES public.a(id) DEFERRABLE INITIALLY DEFERRED;\nCOPY public.b (id) FROM stdin;\n7\n\\.\n"
	for name, tt := range map[string]struct {
		manifest  dump.Manifest
		sql, want string
	}{
		"a statement": {dump.Manifest{a}, threeTables + rows + "ALTER TABLE public.a OWNER TO nobody_at_all;\n", "line 8: ALTER TABLE public.a OWNER TO nobody_at_all;: ERROR: role"},
		"one of many": {dump.Manifest{a}, threeTables + rows + "COMMENT ON TABLE public.a IS 'x';\nALTER TABLE public.a OWNER TO nobody_at_all;\nCOMMENT ON TABLE public.a IS 'y';\n", "line 9: ALTER TABLE public.a OWNER TO nobody_at_all;: ERROR: role"},
		"rows":        {dump.Manifest{a}, threeTables + strings.Replace(rows, "\n1\n", "\none\n", 1), "line 3: COPY public.a (id) FROM stdin;: ERROR: invalid input"},
		"a view":      {nil, "CREATE MATERIALIZED VIEW public.v AS SELECT 1 / (random() * 0)::integer AS a WITH NO DATA;\nREFRESH MATERIALIZED VIEW public.v;\n", "division by zero"},
		"other rows":  {dump.Manifest{other}, threeTables + rows, "table public.a has other rows"},
		"a constraint that is looked at in the end": {dump.Manifest{a, tableOf("public.b", "7")}, threeTables + rows + deferred, "check the deferred constraints: ERROR: insert or update"},
		"locks": {nil, "SELECT count(pg_advisory_xact_lock(i)) FROM generate_series(1, 10000000) i;\n", "raise max_locks_per_transaction there, or load without a single transaction"},
	} {
		t.Run(name, func(t *testing.T) {
			db := newDB(t, pg)
			pg.Psql(t, db, "CREATE TABLE precious AS SELECT 1 AS a")
			err := restore(t, pg, LoadConfig{Database: db, Clean: true, SingleTransaction: true}, written(t, tt.manifest, tt.sql))
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.As(err, new(*dump.PartialError)) || !strings.HasSuffix(err.Error(), "; the transaction is undone, and nothing is changed") {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if got := pg.Psql(t, db, "SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = 'public'::regnamespace"); got != "precious" {
				t.Errorf("there is %q, want what was there before", got)
			}
		})
	}
}

// What no transaction undoes is done last: sequences that were there are set when nothing can fail
// any more.
func TestSingleTransactionSetsSequencesLast(t *testing.T) {
	pg := testServer(t)
	db, to := newDB(t, pg), newDB(t, pg)
	const sql = "CREATE TABLE a (id integer CHECK (id > 0)); CREATE SEQUENCE s"
	pg.Psql(t, db, sql+"; INSERT INTO a VALUES (1), (2); SELECT setval('s', 100)")
	pg.Psql(t, to, sql)
	stream := dumpWith(t, Config{Conn: pg.DSN(db), Select: Selection{DataOnly: true}})
	if !bytes.Contains(stream, []byte("setval")) {
		t.Fatal("the dump sets no sequence")
	}
	body, damaged := stream[bytes.IndexByte(stream, '\n')+1:bytes.LastIndex(stream, []byte("-- table "))], new(bytes.Buffer)
	w := dump.NewWriter(damaged, script.RowsAlone)
	w.Write(body)
	if err := w.End(dump.Manifest{tableOf("public.a", "1", "3")}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		stream []byte
		want   string
	}{{damaged.Bytes(), "0 1"}, {stream, "2 100"}} {
		err := restore(t, pg, LoadConfig{Database: to, SingleTransaction: true}, tt.stream)
		if got := pg.Psql(t, to, "SELECT (SELECT count(*) FROM a) || ' ' || last_value FROM s"); got != tt.want {
			t.Errorf("after the error %v rows and sequence are %s, want %s", err, got, tt.want)
		}
	}
}

func TestSingleTransactionRefused(t *testing.T) {
	pg := testServer(t)
	if _, err := NewLoader(LoadConfig{Conn: pg.DSN("postgres"), SingleTransaction: true, Refused: func(dump.Refusal) {}}); err == nil || !strings.Contains(err.Error(), "one of them expected") {
		t.Errorf("error %v", err)
	}
	var b bytes.Buffer
	w := dump.NewWriter(&b, script.Cluster)
	w.WriteString(script.DatabaseLine("x") + "CREATE DATABASE x;\n")
	if err := w.End(nil); err != nil {
		t.Fatal(err)
	}
	if err := restore(t, pg, LoadConfig{SingleTransaction: true}, b.Bytes()); !errors.Is(err, ErrNotInOne) {
		t.Errorf("error %v, want %v", err, ErrNotInOne)
	}
}

// What ends a transaction is not run in the one that all of a dump is to go in, whoever has written
// the dump, and leaves nothing behind.
func TestSingleTransactionIsNotEnded(t *testing.T) {
	pg := testServer(t)
	for _, ends := range []string{
		"COMMIT;", "COMMIT AND CHAIN;", "/* x */ End Work AND CHAIN;", "ABORT AND CHAIN;", "ROLLBACK;", "ROLLBACK WORK AND CHAIN;", "PREPARE TRANSACTION 'x';",
	} {
		db := newDB(t, pg)
		err := restore(t, pg, LoadConfig{Database: db, SingleTransaction: true}, written(t, nil, "BEGIN;\nCREATE TABLE public.a ();\n"+ends+"\nCREATE TABLE public.b ();\n"))
		if err == nil || errors.As(err, new(*dump.PartialError)) || !strings.Contains(err.Error(), "line 4: ") || !strings.Contains(err.Error(), ": it ends the transaction") {
			t.Errorf("%s: error %v", ends, err)
		}
		if got := pg.Psql(t, db, "SELECT (SELECT count(*) FROM pg_class WHERE relname IN ('a', 'b')) + (SELECT count(*) FROM pg_prepared_xacts)"); got != "0" {
			t.Errorf("%s: %s things are left behind", ends, got)
		}
	}
	db := newDB(t, pg)
	if err := restore(t, pg, LoadConfig{Database: db, SingleTransaction: true}, written(t, nil, "SAVEPOINT s;\nCREATE TABLE public.a ();\nROLLBACK TRANSACTION TO s;\nPREPARE p AS SELECT 1;\n")); err != nil {
		t.Error(err)
	}
}

// A part that is restored over its tables in one transaction is there, or they are as they were.
func TestSingleTransactionOfAPart(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, "CREATE TABLE a (id integer); INSERT INTO a VALUES (1), (2); CREATE TABLE b (id integer)")
	stream := dumpDB(t, pg, db)
	pg.Psql(t, db, "INSERT INTO a VALUES (3); INSERT INTO b VALUES (4); CREATE VIEW on_b AS TABLE b")
	cfg := LoadConfig{Database: db, Clean: true, SingleTransaction: true, Part: dump.Choice{Tables: []string{"a"}}}
	a, rows := rowsOf("public.a", 1)
	failing := written(t, dump.Manifest{a}, "CREATE TABLE public.a (id integer);\n"+rows+"ALTER TABLE public.a OWNER TO nobody_at_all;\n")
	for _, tt := range []struct {
		stream []byte
		want   string
	}{{failing, "1 2 3, 4"}, {stream, "1 2, 4"}} {
		err := restore(t, pg, cfg, tt.stream)
		if errors.As(err, new(*dump.PartialError)) {
			t.Errorf("error %v, want none that says that something was changed", err)
		}
		if got := pg.Psql(t, db, "SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM a) || ', ' || (SELECT string_agg(id::text, ' ') FROM on_b)"); got != tt.want {
			t.Errorf("after the error %v there are %s, want %s", err, got, tt.want)
		}
	}
}
