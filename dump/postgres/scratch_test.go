package postgres

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/dumptest"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

const drilled = `CREATE TABLE orders (id integer PRIMARY KEY, total numeric NOT NULL, note text);
	INSERT INTO orders SELECT i, i * 1.5, 'zäh ' || i FROM generate_series(1, 1000) i;
	CREATE SCHEMA "my s"; CREATE TABLE "my s"."t""x" (d float8, b bytea, a int[]);
	INSERT INTO "my s"."t""x" VALUES (0.1 + 0.2, '\xdeadbeef', '{1,NULL,3}'), ('NaN', '', '{}'), (NULL, NULL, NULL);
	CREATE TABLE nothing (id integer);
	CREATE VIEW totals AS SELECT sum(total) AS total FROM orders;
	CREATE FUNCTION nap() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN 1; END $$;
	CREATE FUNCTION spoil() RETURNS integer LANGUAGE sql AS $$ DELETE FROM public.orders RETURNING 1 $$`

func TestDrills(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, drilled)
	newRole(t, pg, "postgres", "driller")
	pg.Psql(t, "postgres", "ALTER ROLE driller CREATEDB")
	dumptest.RunDrills(t, dumptest.Drills{
		Stream:   dumped(t, Config{Conn: pg.DSN(db)}),
		TablesOf: TablesOf,
		By:       map[string]dumptest.Driller{"all": drillerBy(pg, "postgres", false), "least": drillerBy(pg, "driller", true)},
		Prefixes: []string{"drill_", `a"b'c%_ ä\`},
		Databases: func(t *testing.T) []string {
			return strings.Split(pg.Psql(t, "postgres", "SELECT datname FROM pg_database ORDER BY 1"), "\n")
		},
		Make: func(t *testing.T, name string) { pg.Psql(t, "postgres", "CREATE DATABASE "+server.Ident(name)) },
		Gone: func(t *testing.T, name string) { pg.Psql(t, "postgres", "DROP DATABASE "+server.Ident(name)) },
		Kill: func(dump.Scratch, string) {}, // who is killed and who is closed is the same to the server
		Answers: map[string]string{
			"SELECT count(*) = 1000 FROM orders":                   "true",
			"SELECT total FROM totals -- of all":                   "750750.0",
			"SELECT note, id FROM orders ORDER BY id DESC LIMIT 3": "zäh 1000",
			"VALUES (NULL::integer);":                              "NULL",
			"TABLE nothing UNION ALL SELECT 3":                     "3",
			"SELECT current_setting('transaction_read_only')":      "on",
		},
		Refused: []string{
			"SELECT", "SELECT nothing FROM nobody", "SELECT id FROM nothing", "SELECT 1; SELECT 2", "DELETE FROM orders", "SELECT spoil()", "COMMIT",
			"WITH gone AS (DELETE FROM orders RETURNING 1) SELECT count(*) FROM gone", "SELECT 1 INTO there", "COPY orders TO PROGRAM 'cat'", "DO $$ BEGIN END $$",
			"SELECT repeat('x', 65537)", "SELECT 1/0", "SELECT set_config('transaction_read_only', 'off', false)", "SELECT nextval('s')", "", "SELECT pg_terminate_backend(0) FROM nobody",
		},
		Sleeps: "SELECT nap()",
		Unchanged: func(t *testing.T, name string) error {
			conn, err := pgx.Connect(t.Context(), drillDSN(pg, "postgres", name))
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(t.Context()))
			var n int
			if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM orders").Scan(&n); err != nil || n != 1000 {
				return fmt.Errorf("there are %d orders: %v", n, err)
			}
			return nil
		},
	})
}

// drillerBy makes drills as a role.
func drillerBy(pg *servers.PG, role string, own bool) dumptest.Driller {
	dsn := func(db string) string { return drillDSN(pg, role, db) }
	warn := func(t *testing.T) func(string) { return func(s string) { t.Log("warning:", s) } }
	return dumptest.Driller{
		Scratch: func(t *testing.T, prefix string) dump.Scratch {
			s, err := NewScratch(ScratchConfig{Conn: dsn("nowhere"), Password: "x", Prefix: prefix, Warn: warn(t)})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Loader: func(t *testing.T, db string) dump.Loader {
			l, err := NewLoader(LoadConfig{Conn: dsn(db), Password: "x", NoOwner: own, NoPrivileges: own, Warn: warn(t)})
			if err != nil {
				t.Fatal(err)
			}
			return l
		},
		Source: func(t *testing.T, db string) dump.Source {
			s, err := NewSource(Config{Conn: dsn(db), Password: "x", Warn: warn(t)})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	}
}

// drillDSN is a role's way to a database, whatever its name.
func drillDSN(pg *servers.PG, role, db string) string {
	return fmt.Sprintf("host=%s port=%d user=%s password=x sslmode=disable dbname='%s'", pg.Host, pg.Port, role, strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(db))
}

func dumped(t *testing.T, cfg Config) []byte {
	t.Helper()
	var b bytes.Buffer
	s, err := NewSource(cfg)
	if err == nil {
		err = s.Dump(t.Context(), &b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A copy is in the encoding of the original, which not every locale takes.
func TestDrillOfAnotherEncoding(t *testing.T) {
	pg := testServer(t)
	by := drillerBy(pg, "postgres", false)
	for _, encoding := range []string{"LATIN1", "SQL_ASCII", "EUC_JP", "UTF8"} {
		s := by.Scratch(t, "drill_")
		name, err := s.Create(t.Context(), []byte("-- x\nSET client_encoding = '"+encoding+"';\nSET client_encoding = 'no such';\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := pg.Psql(t, name, "SHOW server_encoding"); got != encoding {
			t.Errorf("%s, want: %s", got, encoding)
		}
		if got := pg.Psql(t, "postgres", "SELECT has_database_privilege('pg_monitor', oid, 'CONNECT') FROM pg_database WHERE datname = "+server.Literal(name)); got != "f" {
			t.Errorf("others may connect: %s", got)
		}
		if err := s.Drop(t.Context(), name); err != nil {
			t.Error(err)
		}
		s.Close()
	}
	s := by.Scratch(t, "drill_")
	defer s.Close()
	if name, err := s.Create(t.Context(), []byte("SET client_encoding = 'KLINGON';\n")); err == nil {
		t.Errorf("%s is in Klingon", name)
	}
	if left := pg.Psql(t, "postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'drill%'"); left != "0" {
		t.Errorf("%s databases are left", left)
	}
}

// One database of a dump of several is loaded into another, whose mark stays, and its tables are
// told from those of the others.
func TestDrillOfOneOfSeveral(t *testing.T) {
	pg := testServer(t)
	one, two := newDB(t, pg), newDB(t, pg)
	pg.Psql(t, one, "CREATE TABLE t (id integer); INSERT INTO t VALUES (1)")
	pg.Psql(t, two, "CREATE TABLE t (id integer); INSERT INTO t VALUES (1), (2); COMMENT ON DATABASE "+two+" IS 'the second'; ALTER DATABASE "+two+" SET search_path = nowhere")
	stream := dumped(t, Config{Conn: pg.DSN("postgres"), Databases: []string{one, two}})
	by := drillerBy(pg, "postgres", false)
	s := by.Scratch(t, "drill_")
	name, err := s.Create(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLoader(LoadConfig{Conn: pg.DSN("postgres"), Database: name, Several: true, Part: dump.Choice{FromDatabase: two}, Warn: func(s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Load(t.Context(), bytes.NewReader(stream)); err != nil {
		t.Fatal(err)
	}
	tables := func(stream []byte) dump.Manifest {
		c, err := dump.ReadContents(bytes.NewReader(stream), int64(len(stream)))
		if err != nil {
			t.Fatal(err)
		}
		return c.Tables
	}
	want, have := TablesOf(tables(stream), two), TablesOf(tables(dumped(t, Config{Conn: pg.DSN(name)})), "")
	if len(want) != 1 || want[0].Rows != 2 || len(want.Differences(have)) > 0 {
		t.Errorf("%v, %v: %v", want, have, want.Differences(have))
	}
	s.Close() // as if it were killed
	next := by.Scratch(t, "drill_")
	defer next.Close()
	if dropped, err := next.Sweep(t.Context()); err != nil || !slices.Equal(dropped, []string{name}) {
		t.Errorf("swept %q, %v", dropped, err)
	}
}

// A copy is dropped whoever is in it, also by a role that may end nobody's sessions but its own, as
// far as that can be, and with a subscription in it, whose slot is the original's.
func TestDrillIsDropped(t *testing.T) {
	pg := testServer(t)
	newRole(t, pg, "postgres", "dropper")
	pg.Psql(t, "postgres", "ALTER ROLE dropper CREATEDB")
	for role, in := range map[string]string{"postgres": "dropper", "dropper": "dropper"} {
		s := drillerBy(pg, role, true).Scratch(t, "drill_")
		name, err := s.Create(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if role != in {
			pg.Psql(t, "postgres", "GRANT CONNECT ON DATABASE "+name+" TO "+in)
			pg.Psql(t, name, "CREATE SUBSCRIPTION copied CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false)")
		}
		stays, err := pgx.Connect(t.Context(), fmt.Sprintf("host=%s port=%d user=%s password=x dbname=%s", pg.Host, pg.Port, in, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Drop(t.Context(), name); err != nil {
			t.Errorf("by %s: %v", role, err)
		}
		stays.Close(context.WithoutCancel(t.Context()))
		s.Close()
	}
}

func TestListDatabases(t *testing.T) {
	pg := servers.Postgres(t)
	for _, name := range []string{"shop", "shop_old", "App", `"x"`, dump.NewScratchName("drill_", time.Now())} {
		pg.Psql(t, "postgres", "CREATE DATABASE "+server.Ident(name))
	}
	list := func(cfg Config) string {
		t.Helper()
		cfg.Conn, cfg.Warn = pg.DSN("postgres"), func(s string) { t.Log("warning:", s) }
		s, err := NewSource(cfg)
		if err != nil {
			t.Fatal(err)
		}
		names, err := s.ListDatabases(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(names, " ")
	}
	for want, cfg := range map[string]Config{
		`"x" App shop shop_old`: {AllDatabases: true},
		`shop shop_old`:         {Databases: []string{"shop*"}},
		`shop`:                  {Databases: []string{"shop*"}, ExcludeDatabases: []string{"*_old"}},
		`"x" App`:               {AllDatabases: true, ExcludeDatabases: []string{"shop*"}},
		`postgres`:              {Databases: []string{"postgres"}},
		``:                      {Databases: []string{"none"}},
	} {
		if got := list(cfg); got != want {
			t.Errorf("%v but %v: %s, want: %s", cfg.Databases, cfg.ExcludeDatabases, got, want)
		}
	}
	if stream := dumped(t, Config{Conn: pg.DSN("postgres"), AllDatabases: true, AllowEmpty: true}); !bytes.Contains(stream, []byte("CREATE DATABASE shop_old")) || bytes.Contains(stream, []byte("drill_")) {
		t.Error("a dump of all databases has not those of others, or has a drill's")
	}
	pg.Psql(t, "postgres", "CREATE TABLE kept (id integer)")
	if got, want := list(Config{AllDatabases: true}), `"x" App postgres shop shop_old`; got != want {
		t.Errorf("%s, want: %s", got, want)
	}
}
