package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

const selectionSchema = `
	CREATE SCHEMA app; CREATE SCHEMA audit; CREATE SCHEMA lib;
	CREATE EXTENSION citext WITH SCHEMA lib;
	CREATE TYPE lib.mood AS ENUM ('sad', 'happy');
	CREATE DOMAIN lib.positive AS int; ALTER DOMAIN lib.positive ADD CHECK (VALUE > 0) NOT VALID;
	CREATE FUNCTION lib.next() RETURNS int LANGUAGE sql AS 'SELECT 7';
	CREATE FUNCTION lib.half(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2';
	CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	CREATE TABLE app.customers (id serial PRIMARY KEY, name lib.citext, feels lib.mood, n lib.positive DEFAULT lib.next());
	CREATE TABLE app.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES app.customers);
	CREATE TABLE app.events (at date, note text) PARTITION BY RANGE (at);
	CREATE TABLE app.events_2025 PARTITION OF app.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
	CREATE TABLE app.events_2026 PARTITION OF app.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
	CREATE TABLE audit.log (id bigserial PRIMARY KEY, line text);
	CREATE TRIGGER noted AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION audit.note();
	CREATE VIEW app.report AS SELECT c.name, l.line FROM app.customers c JOIN audit.log l USING (id);
	CREATE MATERIALIZED VIEW app.totals AS SELECT count(*) FROM app.orders;
	INSERT INTO app.customers (name, feels, n) VALUES ('Ann', 'happy', 1), ('Bob', 'sad', 2);
	INSERT INTO app.orders (customer) VALUES (1), (2), (2);
	INSERT INTO app.events VALUES ('2025-05-05', 'a'), ('2026-05-05', 'b');
	INSERT INTO audit.log (line) VALUES ('x');
	REFRESH MATERIALIZED VIEW app.totals;
	SELECT lo_from_bytea(4711, 'content');
	GRANT SELECT ON app.orders TO PUBLIC;
	CREATE PUBLICATION everything FOR TABLE app.orders, audit.log;`

// TestSelection restores parts of a database, by psql and natively, into empty databases: a part
// must be able to stand by itself.
func TestSelection(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	psqlLoad(t, pg, db, []byte(selectionSchema))
	const relations = `SELECT string_agg(c.oid::regclass::text, ' ' ORDER BY c.oid::regclass::text) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE relkind IN ('r', 'v', 'm', 'S', 'p') AND nspname IN ('app', 'audit', 'lib', 'public')`
	const all = "app.customers app.customers_id_seq app.events app.events_2025 app.events_2026 app.orders app.orders_id_seq app.report app.totals audit.log audit.log_id_seq"
	without := func(names ...string) string {
		return strings.Join(slices.DeleteFunc(strings.Fields(all), func(s string) bool { return slices.Contains(names, s) }), " ")
	}
	for _, k := range []struct {
		name   string
		cfg    Config
		sql    string
		want   string
		warned string // part of a warning
	}{
		{"all", Config{}, relations, all, ""},
		{"schema", Config{Select: Selection{Schemas: []string{"app"}}}, relations, without("audit.log", "audit.log_id_seq", "app.report"), "view app.report needs table audit.log, which is left out"},
		{"schema, with what it needs", Config{Select: Selection{Schemas: []string{"app"}}}, "SELECT string_agg(name || feels || n, ' ' ORDER BY id) FROM app.customers", "Annhappy1 Bobsad2", ""},
		{"schema, domain", Config{Select: Selection{Schemas: []string{"app"}}}, "SELECT count(*) FROM pg_constraint WHERE contypid = 'lib.positive'::regtype", "1", ""},
		{"schema, large objects", Config{Select: Selection{Schemas: []string{"app"}}}, "SELECT count(*) FROM pg_largeobject_metadata", "0", ""},
		{"excluded schema", Config{Select: Selection{ExcludeSchemas: []string{"audit"}}}, relations, without("audit.log", "audit.log_id_seq", "app.report"), "trigger noted ON app.orders needs"},
		{"excluded schema, large objects", Config{Select: Selection{ExcludeSchemas: []string{"audit"}}}, "SELECT convert_from(lo_get(4711), 'UTF8')", "content", ""},
		{"excluded schema, publication", Config{Select: Selection{ExcludeSchemas: []string{"audit"}}}, "SELECT string_agg(tablename, ' ') FROM pg_publication_tables", "orders", ""},
		{"table", Config{Select: Selection{Tables: []string{"app.orders"}}}, relations, "app.orders app.orders_id_seq", "constraint orders_customer_fkey ON app.orders needs table app.customers"},
		{"table with sequence", Config{Select: Selection{Tables: []string{"cust*"}}}, "SELECT nextval('app.customers_id_seq')", "3", ""},
		{"partitioned table", Config{Select: Selection{Tables: []string{"events"}}}, "SELECT count(*) FROM app.events", "2", ""},
		{"excluded table", Config{Select: Selection{ExcludeTables: []string{"app.events", "app.totals"}}}, relations, without("app.events", "app.events_2025", "app.events_2026", "app.totals"), ""},
		{"excluded partition", Config{Select: Selection{ExcludeTables: []string{"events_2025"}}}, "SELECT count(*) FROM app.events", "1", ""},
		{"table data", Config{Select: Selection{ExcludeTableData: []string{"app.events", "app.totals"}}}, relations, all, ""},
		{"table data, rows", Config{Select: Selection{ExcludeTableData: []string{"app.events"}}}, "SELECT count(*) FROM app.events", "0", ""},
		{"view data", Config{Select: Selection{ExcludeTableData: []string{"totals"}}}, "SELECT relispopulated FROM pg_class WHERE relname = 'totals'", "f", ""},
		{"schema only", Config{Select: Selection{SchemaOnly: true}}, relations, all, ""},
		{"schema only, rows", Config{Select: Selection{SchemaOnly: true}}, "SELECT (SELECT count(*) FROM app.orders) + (SELECT count(*) FROM pg_largeobject_metadata) + (SELECT last_value FROM app.customers_id_seq)", "1", ""},
		{"no owner", Config{NoOwner: true}, relations, all, ""},
		{"no privileges", Config{NoPrivileges: true}, "SELECT relacl IS NULL FROM pg_class WHERE relname = 'orders'", "t", ""},
		{"unused pattern", Config{Select: Selection{ExcludeTables: []string{"app.no_such"}}}, relations, all, "no excluded table fits app.no_such"},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			stream, warnings := dumpWarned(t, pg, db, k.cfg)
			if !strings.Contains(strings.Join(warnings, "\n"), k.warned) {
				t.Errorf("warned of %q, want %q", warnings, k.warned)
			}
			byPsql, natively := newDB(t, pg), newDB(t, pg)
			psqlLoad(t, pg, byPsql, stream)
			if err := restore(t, pg, LoadConfig{Database: natively}, stream); err != nil {
				t.Fatal(err)
			}
			for _, restored := range []string{byPsql, natively} {
				if got := strings.TrimSpace(pg.Psql(t, restored, k.sql)); got != k.want {
					t.Errorf("%s\n%s, want\n%s", k.sql, got, k.want)
				}
			}
			if k.cfg.NoOwner && strings.Contains(string(stream), "OWNER TO") {
				t.Error("the dump sets owners")
			}
		})
	}
}

// dumpWarned dumps db with cfg's other settings and returns the warnings too.
func dumpWarned(t *testing.T, pg *servers.PG, db string, cfg Config) (stream []byte, warnings []string) {
	t.Helper()
	cfg.Conn = pg.DSN(db)
	cfg.Warn = func(s string) { warnings = append(warnings, s) }
	stream, err := dumpBytes(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return stream, warnings
}

func dumpBytes(cfg Config) ([]byte, error) {
	src, err := NewSource(cfg)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	err = src.Dump(context.Background(), &b)
	return []byte(b.String()), err
}

// TestSelectionRefused names what cannot be a backup.
func TestSelectionRefused(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	psqlLoad(t, pg, db, []byte(selectionSchema))
	for want, cfg := range map[string]Config{
		"tables app.no_such of database":                  {Select: Selection{Tables: []string{"app.no_such"}}},
		"schemas no_such of database":                     {Select: Selection{Schemas: []string{"no_such"}}},
		"table app.customers needs":                       {Select: Selection{ExcludeSchemas: []string{"lib"}}},
		"postgres settings: schema only and data only":    {Select: Selection{SchemaOnly: true, DataOnly: true}},
		"postgres settings: schemas and tables":           {Select: Selection{Schemas: []string{"a"}, Tables: []string{"b"}}},
		"postgres settings: clean and data only":          {Select: Selection{DataOnly: true}, Clean: true},
		"postgres settings: schemas: a.b: a name without": {Select: Selection{Schemas: []string{"a.b"}}},
	} {
		cfg.Conn = pg.DSN(db)
		if _, err := dumpBytes(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// An excluded table need not be locked: it may be one that somebody holds.
func TestExcludedNotLocked(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	psqlLoad(t, pg, db, []byte(selectionSchema))
	conn, err := pgx.Connect(t.Context(), pg.DSN(db))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "CREATE TABLE audit.held (); BEGIN; LOCK TABLE audit.held"); err != nil {
		t.Fatal(err)
	}
	_, err = dumpBytes(Config{Conn: pg.DSN(db), LockTimeout: 1e8, Select: Selection{Schemas: []string{"app"}}})
	if err != nil {
		t.Error(err)
	}
}

// A dump of rows alone makes nothing, so nothing in it is in the way of rows whose table could not
// be made in any order with what it needs: they are dumped, and so is where a sequence stands.
func TestDataOnlyOfACircle(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `
		CREATE TABLE b (id integer);
		CREATE TABLE a (id bigint, g bigint GENERATED ALWAYS AS (('b'::regclass)::oid::bigint) STORED);
		ALTER TABLE b ADD COLUMN y a;
		INSERT INTO a VALUES (1), (2);
		CREATE TABLE n (n integer);
		CREATE MATERIALIZED VIEW mv AS SELECT n FROM n;
		ALTER TABLE n ADD COLUMN x mv;
		CREATE SEQUENCE s;
		CREATE TABLE o (x integer, g bigint GENERATED ALWAYS AS (('s'::regclass)::oid::bigint) STORED);
		ALTER SEQUENCE s OWNED BY o.x;
		SELECT setval('s', 41)`)
	stream, warnings := dumpWarned(t, pg, db, Config{Select: Selection{DataOnly: true}})
	for _, want := range []string{"COPY public.a (id) FROM stdin;\n1\n2\n", "REFRESH MATERIALIZED VIEW public.mv;", "setval('public.s', 41, true)"} {
		if !strings.Contains(string(stream), want) {
			t.Errorf("the dump has no %q", want)
		}
	}
	if len(warnings) > 0 {
		t.Errorf("warnings: %q", warnings)
	}
}

// TestDataOnly empties a database and gives it its rows again.
func TestDataOnly(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	psqlLoad(t, pg, db, []byte(selectionSchema))
	psqlLoad(t, pg, db, []byte(`CREATE TABLE a_child (id int PRIMARY KEY, p int REFERENCES app.orders, q int REFERENCES a_child); INSERT INTO a_child VALUES (1, 1, 1)`))
	stream, _ := dumpWarned(t, pg, db, Config{Select: Selection{DataOnly: true}})
	definitions, _ := dumpWarned(t, pg, db, Config{Select: Selection{SchemaOnly: true}})
	byPsql, natively := newDB(t, pg), newDB(t, pg)
	psqlLoad(t, pg, byPsql, definitions)
	psqlLoad(t, pg, byPsql, stream)
	for _, part := range [][]byte{definitions, stream} {
		if err := restore(t, pg, LoadConfig{Database: natively}, part); err != nil {
			t.Fatal(err)
		}
	}
	for _, restored := range []string{byPsql, natively} {
		if pgDump(t, pg, db) != pgDump(t, pg, restored) {
			t.Error("definitions and data, restored one after the other, are not the whole")
		}
	}
	if err := restore(t, pg, LoadConfig{Database: natively, Clean: true}, stream); !errors.Is(err, ErrDataOnly) {
		t.Errorf("cleaning for rows alone: %v, want ErrDataOnly", err)
	}
	psqlLoad(t, pg, db, []byte("ALTER TABLE app.customers ADD referred int REFERENCES app.orders"))
	if _, warnings := dumpWarned(t, pg, db, Config{Select: Selection{DataOnly: true}}); !strings.Contains(strings.Join(warnings, "\n"), "app.customers, app.orders") {
		t.Errorf("warned of %q, want the circle", warnings)
	}
}

// TestClean loads dumps with DROP statements into an empty database and over themselves.
func TestClean(t *testing.T) {
	skipShort(t)
	pg := servers.Postgres(t) // the scripts make roles
	for _, k := range cases(t, pg) {
		t.Run(k.Name, func(t *testing.T) {
			db := newDB(t, pg)
			k.Fill(t, db)
			stream, _ := dumpWarned(t, pg, db, Config{Clean: true})
			again := newDB(t, pg)
			psqlLoad(t, pg, again, stream)
			psqlLoad(t, pg, again, stream)
			if diff := cmp.Diff(strings.Split(pgDump(t, pg, db), "\n"), strings.Split(pgDump(t, pg, again), "\n")); diff != "" {
				t.Errorf("the database restored twice is not the original:\n%s", diff)
			}
		})
	}
}

// TestLoadWithoutRoles loads a dump whose roles the server does not have.
func TestLoadWithoutRoles(t *testing.T) {
	pg := testServer(t)
	db, restored := newDB(t, pg), newDB(t, pg)
	psqlLoad(t, pg, db, []byte(`CREATE ROLE "No OWNER TO it"; CREATE ROLE nobody_there;
		CREATE TABLE t (s text DEFAULT 'a OWNER TO b'); ALTER TABLE t OWNER TO "No OWNER TO it"; GRANT SELECT ON t TO nobody_there WITH GRANT OPTION;
		SET SESSION AUTHORIZATION nobody_there; GRANT SELECT ON t TO PUBLIC; RESET SESSION AUTHORIZATION;
		ALTER DEFAULT PRIVILEGES FOR ROLE nobody_there GRANT SELECT ON TABLES TO PUBLIC`))
	stream := dumpDB(t, pg, db)
	psqlLoad(t, pg, db, []byte(`REASSIGN OWNED BY "No OWNER TO it" TO CURRENT_USER; DROP OWNED BY nobody_there; DROP ROLE "No OWNER TO it"; DROP ROLE nobody_there`))
	if err := restore(t, pg, LoadConfig{Database: restored, NoOwner: true}, stream); err == nil || !strings.Contains(err.Error(), "nobody_there") {
		t.Errorf("%v, want the role that is missing", err)
	}
	if err := restore(t, pg, LoadConfig{Database: restored, Clean: true, NoOwner: true, NoPrivileges: true}, stream); err != nil {
		t.Fatal(err)
	}
	if a, b := pgDump(t, pg, db), pgDump(t, pg, restored); a != b {
		t.Errorf("restored:\n%s", cmp.Diff(a, b))
	}
}

// TestSeveralDatabases dumps databases by pattern and restores them into another server.
func TestSeveralDatabases(t *testing.T) {
	skipShort(t)
	from, to := servers.Postgres(t), servers.Postgres(t)
	for _, db := range []string{"shop_1", "shop_2", "shop_test", "other"} {
		from.Psql(t, "postgres", "CREATE DATABASE "+db)
		from.Psql(t, db, "CREATE TABLE t AS SELECT current_database() AS name")
	}
	from.Psql(t, "postgres", "ALTER DATABASE shop_1 SET work_mem = '8MB'")
	to.Psql(t, "postgres", "CREATE TABLE busy ()") // none of the dump's business
	const list = `SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate`
	cfg := Config{Databases: []string{"shop_*", "none_*"}, ExcludeDatabases: []string{"*_test"}}
	stream, warnings := dumpWarned(t, from, "postgres", cfg)
	if len(warnings) != 1 || warnings[0] != "no database fits none_*" {
		t.Errorf("warned of %q", warnings)
	}
	if err := restore(t, to, LoadConfig{}, stream); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(to.Psql(t, "postgres", list)); got != "postgres shop_1 shop_2" {
		t.Errorf("restored %s", got)
	}
	if got := strings.TrimSpace(to.Psql(t, "shop_1", "SELECT name || current_setting('work_mem') FROM t")); got != "shop_18MB" {
		t.Errorf("restored %s", got)
	}
	cfg.Clean = true
	again, _ := dumpWarned(t, from, "postgres", cfg)
	psqlLoad(t, to, "postgres", again)
	if got := strings.TrimSpace(to.Psql(t, "postgres", list)); got != "postgres shop_1 shop_2" {
		t.Errorf("restored again %s", got)
	}
}
