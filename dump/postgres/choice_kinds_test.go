package postgres

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// allRelations lists what a database has, by schema and name.
const allRelations = `SELECT coalesce(string_agg(nspname || '.' || relname, ' ' ORDER BY nspname COLLATE "C", relname COLLATE "C"), '') FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
	WHERE relkind IN ('r', 'v', 'm', 'S', 'p', 'f') AND nspname !~ '^pg_' AND nspname <> 'information_schema'`

// TestChoice restores parts of a database into empty ones.
func TestChoice(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	psqlLoad(t, pg, db, []byte(selectionSchema))
	pg.Psql(t, db, `CREATE TABLE app.lines (id int REFERENCES app.orders, n lib.positive, m lib.mood[] DEFAULT '{happy}', half int GENERATED ALWAYS AS (lib.half(id)) STORED);`)
	stream, cleaning := dumpDB(t, pg, db), dumpWith(t, Config{Conn: pg.DSN(db), Clean: true})
	tables := func(list ...string) dump.Choice { return dump.Choice{Tables: list} }
	for _, k := range []struct {
		name   string
		choice dump.Choice
		sql    string
		want   string
		warned string // part of a warning; empty: there is none
	}{
		{"table", tables("app.orders"), allRelations, "app.orders app.orders_id_seq", "foreign key orders_customer_fkey of app.orders is left out: it needs app.customers, which is not there"},
		{"its rows", tables("app.orders"), "SELECT count(*) FROM app.orders", "3", "foreign key"},
		{"its sequence", tables("app.orders"), "INSERT INTO app.orders DEFAULT VALUES RETURNING id", "4", "foreign key"},
		{"its trigger", tables("app.orders"), "SELECT tgfoid::regprocedure FROM pg_trigger WHERE NOT tgisinternal", "audit.note()", "foreign key"},
		{"its privileges", tables("app.orders"), "SELECT array_to_string(relacl, ' ') LIKE '%=r/%' FROM pg_class WHERE oid = 'app.orders'::regclass", "t", "foreign key"},
		{"no publication", tables("app.orders"), "SELECT count(*) FROM pg_publication", "0", "foreign key"},
		{"by name alone", tables("cust*"), "SELECT nextval('app.customers_id_seq')", "3", ""},
		{"with what its columns need", tables("customers"), "SELECT string_agg(name || feels || n, ' ' ORDER BY id) FROM app.customers", "Annhappy1 Bobsad2", ""},
		{"a domain's late check", tables("customers"), "SELECT count(*) FROM pg_constraint WHERE contypid = 'lib.positive'::regtype", "1", ""},
		{"two that refer to each other", tables("orders", "customers"), "SELECT count(*) FROM pg_constraint WHERE contype = 'f'", "1", ""},
		{"a generated column's function", tables("lines"), "INSERT INTO app.lines VALUES (8) RETURNING half || array_to_string(m, '')", "4happy", "lines_id_fkey"},
		{"partitions", tables("app.events"), "SELECT count(*) || ' of ' || count(DISTINCT tableoid) FROM app.events", "2 of 2", ""},
		{"a partition", tables("app.events_2025"), allRelations, "app.events_2025", "partition app.events_2025 stays a table of its own: app.events is not in the part"},
		{"without a partition", dump.Choice{Tables: []string{"app.events"}, ExcludeTables: []string{"*_2025"}}, "SELECT count(*) FROM app.events", "1", ""},
		{"a view alone", tables("report", "orders"), allRelations, "app.orders app.orders_id_seq", "view app.report is left out: it needs app.customers, which is not there"},
		{"a view with its tables", tables("report", "customers", "log"), "SELECT count(*) FROM app.report", "1", ""},
		{"a materialized view", tables("totals", "orders"), "TABLE app.totals", "3", "foreign key"},
		{"schema", dump.Choice{Schemas: []string{"app"}}, allRelations, "app.customers app.customers_id_seq app.events app.events_2025 app.events_2026 app.lines app.orders app.orders_id_seq app.totals", "view app.report is left out: it needs audit.log"},
		{"schema, large objects", dump.Choice{Schemas: []string{"app"}}, "SELECT count(*) FROM pg_largeobject_metadata", "0", "app.report"},
		{"excluded schema", dump.Choice{ExcludeSchemas: []string{"audit"}}, "SELECT convert_from(lo_get(4711), 'UTF8') || (SELECT count(*) FROM pg_publication)", "content1", "needs audit.log"},
		{"excluded table", dump.Choice{ExcludeTables: []string{"app.*", "no_such"}}, allRelations, "audit.log audit.log_id_seq", "no excluded table fits no_such"},
		{"definitions", dump.Choice{SchemaOnly: true}, "SELECT (SELECT count(*) FROM app.orders) + (SELECT count(*) FROM pg_largeobject_metadata) + (SELECT last_value FROM app.customers_id_seq)", "1", ""},
		{"definitions of a table", dump.Choice{Tables: []string{"customers"}, SchemaOnly: true}, "SELECT (SELECT count(*) FROM app.customers) + (SELECT last_value FROM app.customers_id_seq)", "1", ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			restored := newDB(t, pg)
			from := stream
			if len(k.name)%2 == 0 {
				from = cleaning // which drops nothing of what is restored in part
			}
			warnings, err := restoreWarned(t, pg, LoadConfig{Database: restored, Part: k.choice, Jobs: 1 + len(k.name)%4}, from)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(warnings, "\n")
			if k.warned == "" && all != "" || !strings.Contains(all, k.warned) {
				t.Errorf("warned of %q, want %q", warnings, k.warned)
			}
			if got := strings.TrimSpace(pg.Psql(t, restored, k.sql)); got != k.want {
				t.Errorf("%s\n%s, want\n%s", k.sql, got, k.want)
			}
		})
	}
}

// A pattern that fits nothing, and what else is no part of the dump, is refused before anything is
// changed.
func TestChoiceRefused(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	psqlLoad(t, pg, db, []byte(selectionSchema))
	stream := dumpDB(t, pg, db)
	for _, k := range []struct {
		cfg  LoadConfig
		err  error
		want string
	}{
		{LoadConfig{Part: dump.Choice{Tables: []string{"app.orders", "app.ordr"}}}, ErrNothingFits, "no table fits app.ordr"},
		{LoadConfig{Part: dump.Choice{Schemas: []string{"shop"}}}, ErrNothingFits, "no schema fits shop"},
		{LoadConfig{Part: dump.Choice{FromDatabase: "shop"}}, ErrNoDatabase, "does not say its name"},
		{LoadConfig{ToSchema: "restored", Part: dump.Choice{Tables: []string{"orders", "log"}}}, ErrSchemas, "app.orders and audit.log"},
	} {
		restored := newDB(t, pg)
		k.cfg.Database = restored
		err := restore(t, pg, k.cfg, stream)
		if !errors.Is(err, k.err) || !strings.Contains(err.Error(), k.want) || errors.As(err, new(*dump.PartialError)) {
			t.Errorf("%+v: %v, want %v: %s", k.cfg.Part, err, k.err, k.want)
		}
		if got := strings.TrimSpace(pg.Psql(t, restored, allRelations)); got != "" {
			t.Errorf("there is %s", got)
		}
	}
	for want, cfg := range map[string]LoadConfig{
		"schema only and data only": {Part: dump.Choice{SchemaOnly: true, DataOnly: true}},
		"schemas and tables":        {Part: dump.Choice{Schemas: []string{"a"}, Tables: []string{"b"}}},
		"nothing can be cleaned":    {Part: dump.Choice{DataOnly: true}, Clean: true},
	} {
		cfg.Conn = pg.DSN(db)
		if _, err := NewLoader(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestChoiceOfRows puts rows into tables that are there: of a dump with definitions, and of one
// without.
func TestChoiceOfRows(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	psqlLoad(t, pg, db, []byte(selectionSchema))
	whole, rows := dumpDB(t, pg, db), dumpWith(t, Config{Conn: pg.DSN(db), Select: Selection{DataOnly: true}})
	for name, stream := range map[string][]byte{"with definitions": whole, "rows alone": rows} {
		for _, choice := range []dump.Choice{{Tables: []string{"app.customers", "app.customers_id_seq"}, DataOnly: true}, {DataOnly: true}} {
			restored := newDB(t, pg)
			if err := restore(t, pg, LoadConfig{Database: restored, Part: dump.Choice{SchemaOnly: true}}, whole); err != nil {
				t.Fatal(err)
			}
			if err := restore(t, pg, LoadConfig{Database: restored, Part: choice}, stream); err != nil {
				t.Fatal(name, err)
			}
			want := "2 0 3"
			if choice.Tables == nil {
				want = "2 3 3"
			}
			if got := strings.TrimSpace(pg.Psql(t, restored, "SELECT (SELECT count(*) FROM app.customers) || ' ' || (SELECT count(*) FROM app.orders) || ' ' || nextval('app.customers_id_seq')")); got != want {
				t.Errorf("%s, %v: %s, want %s", name, choice.Tables, got, want)
			}
		}
	}
}

// A table that comes along without its rows, or without some of them, is nothing that rows can
// refer to: the foreign key is left out, and told.
func TestChoiceWithoutTheRowsReferredTo(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1);
		CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (2); INSERT INTO parted VALUES (1);
		CREATE TABLE b (id int CONSTRAINT to_a REFERENCES a CONSTRAINT to_parted REFERENCES parted); INSERT INTO b VALUES (1);
		COMMENT ON CONSTRAINT to_a ON b IS 'gone with it';
		CREATE FUNCTION f() RETURNS SETOF a LANGUAGE sql AS 'SELECT 1'`)
	stream := dumpDB(t, pg, db)
	for _, k := range []struct {
		choice         dump.Choice
		needs, without string
	}{
		{dump.Choice{ExcludeTables: []string{"a"}}, "foreign key to_a of public.b is left out: it needs the rows of public.a, which are not there", "to_parted"},
		{dump.Choice{ExcludeTables: []string{"parted_1"}}, "foreign key to_parted of public.b is left out: it needs the rows of public.parted, which are not there", "to_a"},
		{dump.Choice{ExcludeTables: []string{"a"}, SchemaOnly: true}, "", "to_a to_parted"},
	} {
		restored := newDB(t, pg)
		warnings, err := restoreWarned(t, pg, LoadConfig{Database: restored, Part: k.choice}, stream)
		if err != nil {
			t.Errorf("%+v: %v", k.choice, err)
			continue
		}
		if told := slices.ContainsFunc(warnings, func(w string) bool { return strings.HasPrefix(w, "foreign key ") }); told != (k.needs != "") || told && !slices.Contains(warnings, k.needs) {
			t.Errorf("%+v: warned of %q, want %s", k.choice, warnings, k.needs)
		}
		if got := strings.TrimSpace(pg.Psql(t, restored, "SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE conrelid = 'b'::regclass AND contype = 'f' AND conparentid = 0")); got != k.without {
			t.Errorf("%+v: foreign keys %s, want %s", k.choice, got, k.without)
		}
	}
}

// Some rows of a partition that lie in the dump among those of others cannot be had alone.
func TestChoiceOfScatteredRows(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE TYPE letter AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
		CREATE TABLE scattered (l letter) PARTITION BY HASH (l);
		CREATE TABLE leaf_0 PARTITION OF scattered FOR VALUES WITH (MODULUS 2, REMAINDER 0);
		CREATE TABLE leaf_1 PARTITION OF scattered FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		INSERT INTO scattered SELECT unnest(enum_range(NULL::letter))`)
	stream := dumpDB(t, pg, db)
	restored := newDB(t, pg)
	if err := restore(t, pg, LoadConfig{Database: restored, Part: dump.Choice{Tables: []string{"scattered"}}}, stream); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(pg.Psql(t, restored, "SELECT count(*) FROM scattered")); got != "8" {
		t.Errorf("%s rows", got)
	}
	err := restore(t, pg, LoadConfig{Database: newDB(t, pg), Part: dump.Choice{Tables: []string{"leaf_0"}}}, stream)
	if err == nil || !strings.Contains(err.Error(), "choose all of its table") {
		t.Errorf("a partition alone: %v", err)
	}
}

// TestChoiceFromDatabase takes one database of several, and tables of it, under another name.
func TestChoiceFromDatabase(t *testing.T) {
	skipShort(t)
	from, to := servers.Postgres(t), servers.Postgres(t)
	for _, db := range []string{"shop", `we"ird. `} {
		from.Psql(t, "postgres", "CREATE DATABASE "+`"`+strings.ReplaceAll(db, `"`, `""`)+`"`)
		from.Psql(t, db, "CREATE TABLE t AS SELECT current_database()::text AS name; CREATE TABLE u AS TABLE t")
	}
	from.Psql(t, "postgres", `CREATE ROLE somebody; ALTER DATABASE shop SET work_mem = '8MB'; GRANT CREATE ON DATABASE shop TO somebody; COMMENT ON DATABASE shop IS 'x'; ALTER ROLE somebody IN DATABASE shop SET work_mem = '1MB'`)
	stream := dumpWith(t, Config{Conn: from.DSN("postgres"), AllDatabases: true})
	for i, k := range []struct {
		choice dump.Choice
		want   string
	}{
		{dump.Choice{FromDatabase: "shop"}, "public.t public.u"},
		{dump.Choice{FromDatabase: `we"ird. `}, "public.t public.u"},
		{dump.Choice{FromDatabase: "shop", Tables: []string{"t"}}, "public.t"},
		{dump.Choice{FromDatabase: `we"ird. `, ExcludeTables: []string{"t"}}, "public.u"},
	} {
		restored := newDB(t, to)
		if err := restore(t, to, LoadConfig{Database: restored, Part: k.choice, Several: i%2 == 0}, stream); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(to.Psql(t, restored, allRelations)); got != k.want {
			t.Errorf("%s, want %s", got, k.want)
		}
		if got := strings.TrimSpace(to.Psql(t, restored, "TABLE "+k.want[len(k.want)-1:])); got != strings.TrimSpace(k.choice.FromDatabase) {
			t.Errorf("rows of %q, want %q", got, k.choice.FromDatabase)
		}
	}
	if got := strings.TrimSpace(to.Psql(t, "postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'somebody'")); got != "0" {
		t.Error("a role was made")
	}
	for want, choice := range map[string]dump.Choice{
		"there is no sho, but": {FromDatabase: "sho"},
		"it has ":              {Tables: []string{"t"}},
	} {
		if err := restore(t, to, LoadConfig{Database: newDB(t, to), Part: choice}, stream); !errors.Is(err, ErrNoDatabase) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// What the loader wants of a dump, by its manifest, is all that it needs: an excerpt of that
// restores as the whole dump does.
func TestWants(t *testing.T) {
	pg := testServer(t)
	one, db := newDB(t, pg), newDB(t, pg)
	psqlLoad(t, pg, db, []byte(selectionSchema))
	pg.Psql(t, one, "CREATE TABLE other AS SELECT 1 AS n")
	of, all := dumpDB(t, pg, db), dumpWith(t, Config{Conn: pg.DSN(db), Databases: []string{one, db}})
	for _, k := range []struct {
		choice dump.Choice
		rows   string
	}{
		{dump.Choice{Tables: []string{"app.events"}}, "app.events_2025 app.events_2026"},
		{dump.Choice{Tables: []string{"app.events"}, ExcludeTables: []string{"events_2025"}}, "app.events_2026"},
		{dump.Choice{Tables: []string{"app.orders", "customers"}}, "app.customers app.orders"},
		{dump.Choice{ExcludeSchemas: []string{"app"}}, "audit.log"},
		{dump.Choice{SchemaOnly: true}, ""},
		{dump.Choice{FromDatabase: db, Schemas: []string{"audit"}}, db + ".audit.log"},
		{dump.Choice{FromDatabase: db}, strings.ReplaceAll(" app.customers app.events_2025 app.events_2026 app.orders audit.log", " ", " "+db+".")[1:]},
	} {
		stream := of
		if k.choice.FromDatabase != "" {
			stream = all
		}
		contents, err := dump.ReadContents(bytes.NewReader(stream), int64(len(stream)))
		if err != nil {
			t.Fatal(err)
		}
		part, whole := newDB(t, pg), newDB(t, pg)
		l, err := NewLoader(LoadConfig{Conn: pg.DSN(part), Part: k.choice})
		if err != nil {
			t.Fatal(err)
		}
		definitions, err := contents.Excerpt(func(p dump.Part) bool { return p.Kind == dump.Definitions && l.Wants(p) })
		if err != nil {
			t.Fatal(err)
		}
		wants, err := l.WantsBy(bytes.NewReader(excerpted(t, definitions, stream)))
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for _, p := range contents.Parts {
			if wants(p) && !l.Wants(p) {
				t.Errorf("%s %s is wanted by the definitions and not by its name", p.Kind, p.Name)
			}
			if p.Kind == dump.Rows && wants(p) {
				rows = append(rows, p.Name)
			}
		}
		if got := strings.Join(rows, " "); got != k.rows {
			t.Errorf("%+v: %s, want %s", k.choice, got, k.rows)
		}
		excerpt, err := contents.Excerpt(wants)
		if err != nil {
			t.Fatal(err)
		}
		if excerpt.Passed == 0 {
			t.Errorf("%+v: nothing is passed over", k.choice)
		}
		if err := l.Load(t.Context(), bytes.NewReader(excerpted(t, excerpt, stream))); err != nil {
			t.Fatal(err)
		}
		if err := restore(t, pg, LoadConfig{Database: whole, Part: k.choice}, stream); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(pgDump(t, pg, whole), pgDump(t, pg, part)); diff != "" {
			t.Errorf("%+v: the excerpt restores otherwise (-whole +excerpt):\n%s", k.choice, diff)
		}
	}
}

// excerpted is an excerpt of a dump.
func excerpted(t *testing.T, e *dump.Excerpt, of []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := e.Write(t.Context(), &b, dump.SpansOf(bytes.NewReader(of))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
