package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A dump of one database goes into the named database or else the configured one, whatever else is
// set, or nowhere: every combination of what says so, into what is empty and what is not. No other
// database is touched.
func TestTargetOfOne(t *testing.T) {
	pg := testServer(t)
	from, home, named, bystander := pg.CreateDB(t), pg.CreateDB(t), pg.CreateDB(t), pg.CreateDB(t)
	pg.Psql(t, from, "CREATE TABLE t AS SELECT 'dumped' AS mark")
	whole, rows := dumpDB(t, pg, from), dumpWith(t, Config{Conn: pg.DSN(from), Select: Selection{DataOnly: true}})
	conns := map[string]*pgx.Conn{}
	for _, db := range []string{home, named, bystander} {
		conns[db] = sessionIn(t, pg, db)
	}
	for _, form := range []string{script.OneDatabase, script.RowsAlone} {
		for bits := range 16 {
			byName, several, clean, full := bits&1 > 0, bits&2 > 0, bits&4 > 0, bits&8 > 0
			name := fmt.Sprintf("%s, named %t, several configured %t, clean %t, full %t", form, byName, several, clean, full)
			for _, conn := range conns {
				reset := "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
				if form == script.RowsAlone {
					reset += "; CREATE TABLE public.t (mark text)"
				}
				if full {
					reset += "; CREATE TABLE IF NOT EXISTS public.t (mark text); INSERT INTO public.t VALUES ('old')"
				}
				execute(t, conn, reset)
			}
			cfg := LoadConfig{Several: several, Clean: clean}
			want, wanted := home, "dumped"
			if byName {
				want, cfg.Database = named, named
			}
			stream := whole
			var refusal error
			switch {
			case form == script.RowsAlone && clean:
				refusal = ErrDataOnly
			case several && !byName:
				refusal = ErrNoName
			case full && !clean && form == script.OneDatabase:
				refusal = dump.ErrNotEmpty
			}
			if form == script.RowsAlone {
				stream = rows
				if full {
					wanted = "old dumped"
				}
			}
			said, verified, err := loadInto(t, pg, home, cfg, stream)
			if !errors.Is(err, refusal) || refusal == nil && err != nil {
				t.Errorf("%s: %v, want %v", name, err, refusal)
			}
			if refusal != nil && refusal != dump.ErrNotEmpty && !errors.Is(verified, refusal) {
				t.Errorf("%s: verified: %v, want %v", name, verified, refusal)
			}
			switch {
			case refusal != nil && len(said) > 0:
				t.Errorf("%s: a refused load said where it goes: %v", name, said)
			case refusal == nil && (len(said) != 1 || said[0].Database != want || !slices.Equal(said[0].Databases, []string{want})):
				t.Errorf("%s: it said that it goes to %v, want %s", name, said, want)
			case refusal == nil && (len(said[0].Drops) > 0) != (clean && full):
				t.Errorf("%s: it said that %q is dropped", name, said[0].Drops)
			}
			for db, conn := range conns {
				expected := ""
				if full {
					expected = "old"
				}
				if db == want && refusal == nil {
					expected = wanted
				}
				if got := marks(t, conn); got != expected {
					t.Errorf("%s: database %s holds %q, want %q", name, db, got, expected)
				}
			}
		}
	}
}

// A dump of several databases makes them, and drops them with Clean, and no other.
func TestTargetOfSeveral(t *testing.T) {
	pg := testServer(t)
	one, two, bystander, home := pg.CreateDB(t), pg.CreateDB(t), pg.CreateDB(t), pg.CreateDB(t)
	for _, db := range []string{one, two} {
		pg.Psql(t, db, "CREATE TABLE t AS SELECT 'dumped' AS mark")
	}
	for _, db := range []string{bystander, home} {
		pg.Psql(t, db, "CREATE TABLE t AS SELECT 'old' AS mark")
	}
	stream := dumpWith(t, Config{Conn: pg.DSN(one), Databases: []string{one, two}})
	pg.Psql(t, two, "UPDATE t SET mark = 'old'")
	held := "old" // by the second, or empty while neither is there
	for _, test := range []struct {
		full, byName, several, clean bool
		refusal                      error
	}{
		{full: true, refusal: dump.ErrNotEmpty},
		{full: true, several: true, refusal: dump.ErrNotEmpty},
		{full: true, byName: true, refusal: ErrWholeCluster},
		{full: true, byName: true, several: true, refusal: ErrWholeCluster},
		{full: true, byName: true, clean: true, refusal: ErrWholeCluster},
		{full: true, byName: true, several: true, clean: true, refusal: ErrWholeCluster},
		{full: true, clean: true},
		{full: true, clean: true, several: true},
		{byName: true, refusal: ErrWholeCluster},
		{byName: true, several: true, refusal: ErrWholeCluster},
		{byName: true, clean: true, refusal: ErrWholeCluster},
		{byName: true, several: true, clean: true, refusal: ErrWholeCluster},
		{},
		{several: true},
		{clean: true},
		{several: true, clean: true},
	} {
		var drops []string
		switch {
		case test.full:
			drops = []string{"database " + one, "database " + two}
		case held != "":
			pg.Psql(t, "postgres", "DROP DATABASE "+one+";\nDROP DATABASE "+two)
			held = ""
		}
		cfg := LoadConfig{Several: test.several, Clean: test.clean}
		if test.byName {
			cfg.Database = bystander
		}
		said, _, err := loadInto(t, pg, home, cfg, stream)
		if !errors.Is(err, test.refusal) || test.refusal == nil && err != nil {
			t.Errorf("%+v: %v", test, err)
		}
		if test.refusal == nil {
			held = "dumped"
		}
		switch {
		case test.refusal != nil && len(said) > 0:
			t.Errorf("%+v: a refused load said that it goes to %+v", test, said)
		case test.refusal == nil && (len(said) != 1 || said[0].Database != "" || !slices.Equal(said[0].Databases, []string{one, two}) || !slices.Equal(said[0].Drops, drops)):
			t.Errorf("%+v: it said that it goes to %+v", test, said)
		}
		if held == "" {
			if there := pg.Psql(t, "postgres", fmt.Sprintf("SELECT datname FROM pg_database WHERE datname IN ('%s', '%s')", one, two)); there != "" {
				t.Errorf("%+v: a refused load made %s", test, there)
			}
		} else if got := pg.Psql(t, two, "SELECT mark FROM t"); got != held {
			t.Errorf("%+v: database %s holds %q, want %q", test, two, got, held)
		}
	}
	for _, db := range []string{bystander, home} {
		if got := pg.Psql(t, db, "SELECT string_agg(mark, ' ') FROM t"); got != "old" {
			t.Errorf("database %s, which is not in the dump, holds %q", db, got)
		}
	}
}

// A template is dropped too, and the slots of a database go with it, which is said.
func TestTemplatesAndSlots(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	stream := dumpWith(t, Config{Conn: pg.DSN(db), Databases: []string{db}, AllowEmpty: true})
	pg.Psql(t, db, "SELECT FROM pg_create_logical_replication_slot('slot_of_"+db+"', 'pgoutput')")
	pg.Psql(t, "postgres", "ALTER DATABASE "+db+" IS_TEMPLATE true")
	said, _, err := loadInto(t, pg, "postgres", LoadConfig{Clean: true}, stream)
	if err != nil {
		t.Fatal(err)
	}
	if want := "database " + db + " with replication slot slot_of_" + db; len(said) != 1 || !slices.Equal(said[0].Drops, []string{want}) {
		t.Errorf("it said that %+v, want %s", said, want)
	}
}

// A dump whose first statement fails has changed nothing, and after what was dropped for it nothing
// of it is there.
func TestFirstStatementFails(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	cluster := func(sql string) []byte {
		var b bytes.Buffer
		w := dump.NewWriter(&b, script.Cluster)
		w.WriteString("-- database \"" + db + "\"\nSET statement_timeout = 0;\n" + sql)
		if err := w.End(nil); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	_, _, err := loadInto(t, pg, db, LoadConfig{}, written(t, nil, "SET statement_timeout = 0;\nCREATE TABLE nowhere.t (a int);\n"))
	if err == nil || errors.As(err, new(*dump.PartialError)) {
		t.Errorf("of one: %v", err)
	}
	_, _, err = loadInto(t, pg, "postgres", LoadConfig{Clean: true}, cluster("CREATE ROLE pg_none;\n"))
	if err == nil || !strings.HasSuffix(err.Error(), "; dropped are database "+db+", and nothing of the dump is there yet") {
		t.Errorf("of several: %v", err)
	}
	pg.Psql(t, "postgres", "CREATE DATABASE "+db)
	_, _, err = loadInto(t, pg, "postgres", LoadConfig{Clean: true}, cluster("CREATE DATABASE "+db+";\nCREATE ROLE pg_none;\n"))
	if err == nil || !strings.HasSuffix(err.Error(), dump.HoldsPart) {
		t.Errorf("later: %v", err)
	}
}

// What keeps a database from being dropped is found before another one is.
func TestUndroppable(t *testing.T) {
	pg := testServer(t)
	first, last := pg.CreateDB(t), pg.CreateDB(t)
	pg.Psql(t, first, "CREATE TABLE t AS SELECT 'old' AS mark")
	pg.Psql(t, last, "CREATE TABLE t AS SELECT 'old' AS mark")
	stream := dumpWith(t, Config{Conn: pg.DSN(first), Databases: []string{first, last}})
	pg.Psql(t, "postgres", "CREATE ROLE owns_one LOGIN CREATEDB PASSWORD 'x'; CREATE ROLE makes_none LOGIN PASSWORD 'x'")
	t.Cleanup(func() {
		pg.Psql(t, "postgres", "ALTER DATABASE "+first+" OWNER TO postgres; DROP ROLE owns_one, makes_none")
	})
	pg.Psql(t, "postgres", "ALTER DATABASE "+first+" OWNER TO owns_one")
	as := func(role string) string {
		return strings.Replace(pg.DSN("postgres"), "postgres://postgres@", "postgres://"+role+":x@", 1)
	}
	for name, test := range map[string]struct {
		conn string
		set  func(*testing.T) // what stands in the way, until the test is over
		want string
	}{
		"a session": {pg.DSN("postgres"), func(t *testing.T) { sessionIn(t, pg, last) }, "database " + last + ": session "},
		"a prepared transaction": {pg.DSN("postgres"), func(t *testing.T) {
			pg.Psql(t, last, "BEGIN; CREATE TABLE later (a int); PREPARE TRANSACTION 'half done'")
			t.Cleanup(func() { pg.Psql(t, last, "ROLLBACK PREPARED 'half done'") })
		}, "database " + last + ": it has the prepared transaction half done of postgres"},
		"a subscription": {pg.DSN("postgres"), func(t *testing.T) {
			pg.Psql(t, last, "CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)")
			t.Cleanup(func() { pg.Psql(t, last, "DROP SUBSCRIPTION s") })
		}, "database " + last + ": it has subscription s"},
		"another's database":    {as("owns_one"), func(*testing.T) {}, "database " + last + ": it belongs to role postgres"},
		"no right to make them": {as("makes_none"), func(*testing.T) {}, "it lacks CREATEDB"},
	} {
		t.Run(name, func(t *testing.T) {
			test.set(t)
			l, err := NewLoader(LoadConfig{Conn: test.conn, Clean: true, Into: func(dump.Target) { t.Error("it was said to go somewhere") }})
			if err != nil {
				t.Fatal(err)
			}
			err = l.Load(t.Context(), bytes.NewReader(stream))
			if err == nil || !strings.Contains(err.Error(), test.want) || errors.As(err, new(*dump.PartialError)) {
				t.Errorf("error %v, want … %s, and nothing changed", err, test.want)
			}
			for _, db := range []string{first, last} {
				if got := pg.Psql(t, db, "SELECT mark FROM t"); got != "old" {
					t.Errorf("database %s holds %q", db, got)
				}
			}
		})
	}
}

// A database that is gone when another cannot be dropped, in spite of having been looked at, is
// named.
func TestGoneIsNamed(t *testing.T) {
	pg := testServer(t)
	first, last := pg.CreateDB(t), pg.CreateDB(t)
	stream := dumpWith(t, Config{Conn: pg.DSN(first), Databases: []string{first, last}, AllowEmpty: true})
	l, err := NewLoader(LoadConfig{Conn: pg.DSN("postgres"), Clean: true, Into: func(dump.Target) {
		pg.Psql(t, "postgres", "ALTER DATABASE "+last+" RENAME TO gone_elsewhere")
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer pg.Psql(t, "postgres", "DROP DATABASE gone_elsewhere")
	err = l.Load(t.Context(), bytes.NewReader(stream))
	if err == nil || !strings.HasSuffix(err.Error(), "; dropped are database "+first+", and nothing of the dump is there yet") {
		t.Errorf("error %v", err)
	}
}

// A \connect leads into no database that the dump's head does not name, and in a dump of one
// database into none.
func TestConnectElsewhere(t *testing.T) {
	pg := testServer(t)
	home, bystander := pg.CreateDB(t), pg.CreateDB(t)
	steal := "CREATE TABLE public.t (a integer);\n\\connect " + bystander + "\nCREATE TABLE public.stolen (a integer);\n"
	for name, test := range map[string]struct {
		form string
		cfg  LoadConfig
		sql  string
	}{
		"of one":              {script.OneDatabase, LoadConfig{}, steal},
		"of one, named":       {script.OneDatabase, LoadConfig{Database: home, Clean: true}, steal},
		"of one, to itself":   {script.OneDatabase, LoadConfig{Database: bystander}, "SELECT 1;\n\\connect " + bystander + "\nCREATE TABLE public.stolen (a integer);\n"},
		"of one, with a head": {script.OneDatabase, LoadConfig{}, "-- database \"" + bystander + "\"\n" + steal},
		"of rows":             {script.RowsAlone, LoadConfig{}, "SELECT 1;\n\\connect " + bystander + "\nCREATE TABLE public.stolen (a integer);\n"},
		"of several":          {script.Cluster, LoadConfig{}, "-- database \"elsewhere\"\nSELECT 1;\n\\connect " + bystander + "\nCREATE TABLE public.stolen (a integer);\n"},
		"named too late":      {script.Cluster, LoadConfig{}, "SELECT 1;\n-- database \"" + bystander + "\"\n\\connect " + bystander + "\nCREATE TABLE public.stolen (a integer);\n"},
		"by a connection string": {
			script.OneDatabase, LoadConfig{}, "SELECT 1;\n\\c -reuse-previous=on \"dbname='" + bystander + "'\"\nCREATE TABLE public.stolen (a integer);\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			w := dump.NewWriter(&b, test.form)
			w.WriteString(test.sql)
			if err := w.End(nil); err != nil {
				t.Fatal(err)
			}
			_, verified, err := loadInto(t, pg, home, test.cfg, b.Bytes())
			if !errors.Is(err, dump.ErrElsewhere) || !errors.Is(verified, dump.ErrElsewhere) {
				t.Errorf("verified: %v, loaded: %v, want %v", verified, err, dump.ErrElsewhere)
			}
			if got := pg.Psql(t, bystander, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"); got != "0" {
				t.Errorf("%s relations are in the database that nobody named", got)
			}
			pg.Psql(t, home, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
		})
	}
}

// A transaction that is open at a \connect is lost with its session.
func TestConnectWithinTransaction(t *testing.T) {
	pg := testServer(t)
	var b bytes.Buffer
	w := dump.NewWriter(&b, script.Cluster)
	w.WriteString("-- database \"postgres\"\nSELECT 1;\nBEGIN;\nCREATE ROLE never_there;\n\\connect postgres\nSELECT 1;\n")
	if err := w.End(nil); err != nil {
		t.Fatal(err)
	}
	_, _, err := loadInto(t, pg, "postgres", LoadConfig{}, b.Bytes())
	if err == nil || !strings.Contains(err.Error(), `line 6: \connect postgres: the transaction that line 4 begins is never committed`) {
		t.Errorf("error %v", err)
	}
}

// loadInto verifies and loads a stream, with home as the connection's database, and returns what
// was said of where it goes.
func loadInto(t *testing.T, pg *servers.PG, home string, cfg LoadConfig, stream []byte) (said []dump.Target, verified, err error) {
	t.Helper()
	cfg.Conn = pg.DSN(home)
	cfg.Into = func(target dump.Target) { said = append(said, target) }
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	verified = l.Verify(bytes.NewReader(stream))
	return said, verified, l.Load(t.Context(), bytes.NewReader(stream))
}

// sessionIn opens a session in a database, until the test is over.
func sessionIn(t *testing.T, pg *servers.PG, db string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pg.DSN(db))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func execute(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if err := server.Exec(t.Context(), conn.PgConn(), sql); err != nil {
		t.Fatal(err)
	}
}

// marks is what the table t holds in a database, in the order of its rows; empty where there is
// none.
func marks(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	var there bool
	var text string
	err := conn.QueryRow(t.Context(), "SELECT to_regclass('public.t') IS NOT NULL").Scan(&there)
	if err == nil && there {
		err = conn.QueryRow(t.Context(), "SELECT coalesce(string_agg(mark, ' '), '') FROM public.t").Scan(&text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}
