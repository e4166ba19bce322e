package postgres

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Rows of tables of several schemas do not go into one, and above all not into the tables that they
// are of. A dump of rows alone says only as it goes on what tables it has.
func TestToSchemaOfRowsAlone(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t AS SELECT 1 AS n; CREATE TABLE b.t AS SELECT 2 AS n; CREATE SCHEMA restored; CREATE TABLE restored.t (n integer)")
	stream := dumpWith(t, Config{Conn: pg.DSN(db), Select: Selection{DataOnly: true, Tables: []string{"a.t", "b.t"}}})
	for _, to := range []string{"restored", "a"} {
		err := restore(t, pg, LoadConfig{Database: db, ToSchema: to, Part: dump.Choice{Tables: []string{"*.t"}}}, stream)
		if !errors.Is(err, ErrSchemas) {
			t.Errorf("to %s: %v, want %v", to, err, ErrSchemas)
		}
		if got := strings.TrimSpace(pg.Psql(t, db, "SELECT count(*) FROM b.t")); got != "1" {
			t.Errorf("to %s: b.t has %s rows", to, got)
		}
	}
	if err := restore(t, pg, LoadConfig{Database: db, ToSchema: "restored", Part: dump.Choice{Tables: []string{"b.t"}}}, stream); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(pg.Psql(t, db, "SELECT count(*) FROM restored.t WHERE n = 2")); got != "1" {
		t.Errorf("restored.t has %s rows of b.t", got)
	}
}

// A copy of a table that inherits does not become a child of the living parent, which would show
// its rows twice.
func TestToSchemaOfAChild(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE SCHEMA base; CREATE SCHEMA app; CREATE TABLE base.parent (a integer); CREATE TABLE app."Mid" () INHERITS (base.parent); CREATE TABLE app.child (b integer) INHERITS (app."Mid");
		CREATE TABLE app.late (c integer) INHERITS (base.parent); ALTER TABLE base.parent ADD COLUMN d integer; CREATE TABLE app.alone (a integer); INSERT INTO app.child VALUES (1), (2); INSERT INTO app.late VALUES (3)`)
	stream := dumpDB(t, pg, db)
	before := pgDump(t, pg, db)
	for _, table := range []string{"app.child", "app.late", `app."Mid"`} {
		cfg := LoadConfig{Database: db, ToSchema: "restored", Part: dump.Choice{Tables: []string{table}}}
		err := restore(t, pg, cfg, stream)
		if !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), "it has table base.parent") || errors.As(err, new(*dump.PartialError)) {
			t.Errorf("%s: %v, want ErrNotEmpty and the parent", table, err)
		}
		r, err := rehearse(t, pg, cfg, stream)
		if err != nil || len(r.Obstacles) != 1 || !strings.Contains(r.Obstacles[0].Error(), "it has table base.parent") {
			t.Errorf("%s: error %v, rehearsal %+v", table, err, r)
		}
	}
	if pgDump(t, pg, db) != before {
		t.Error("a refused restore changed something")
	}
	empty := newDB(t, pg)
	for _, k := range []struct{ db, to, table string }{{db, "restored", "app.alone"}, {empty, "restored", "app.child"}, {empty, "", "app.*"}} {
		if err := restore(t, pg, LoadConfig{Database: k.db, ToSchema: k.to, Part: dump.Choice{Tables: []string{k.table}}}, stream); err != nil {
			t.Errorf("%+v: %v", k, err)
		}
	}
}

// A table that is dropped first is known to be one that the role may make again.
func TestCleanOfWhatMayNotBeMade(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	newRole(t, pg, db, "owns_only")
	pg.Psql(t, db, `CREATE SCHEMA "In.side"; GRANT USAGE ON SCHEMA "In.side" TO owns_only; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
		CREATE TABLE "In.side".orders AS SELECT 1 AS n; ALTER TABLE "In.side".orders OWNER TO owns_only; CREATE TABLE orders AS SELECT 1 AS n; ALTER TABLE orders OWNER TO owns_only`)
	stream := dumpDB(t, pg, db)
	before := pgDump(t, pg, db)
	for _, k := range []struct{ table, to, want string }{
		{`"In.side".orders`, "", `GRANT USAGE, CREATE ON SCHEMA "In.side" TO owns_only`},
		{"public.orders", "", "GRANT USAGE, CREATE ON SCHEMA public TO owns_only"},
		{"public.orders", "new", "GRANT CREATE ON DATABASE " + db + " TO owns_only"},
		{"public.orders", "In.side", `GRANT USAGE, CREATE ON SCHEMA "In.side" TO owns_only`},
	} {
		cfg := LoadConfig{Conn: strings.Replace(pg.DSN(db), "postgres@", "owns_only:x@", 1), Clean: true, NoOwner: true, ToSchema: k.to, Part: dump.Choice{Tables: []string{k.table}}}
		l, err := NewLoader(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Load(t.Context(), bytes.NewReader(stream)); err == nil || !strings.Contains(err.Error(), k.want) || errors.As(err, new(*dump.PartialError)) {
			t.Errorf("%+v: error %v", k, err)
		}
		if r, err := l.Rehearse(t.Context(), bytes.NewReader(stream)); err != nil || len(r.Obstacles) != 1 || !strings.Contains(r.Obstacles[0].Error(), k.want) {
			t.Errorf("%+v: error %v, rehearsal %+v", k, err, r)
		}
	}
	if pgDump(t, pg, db) != before {
		t.Error("a refused restore changed something")
	}
	pg.Psql(t, db, `GRANT CREATE ON SCHEMA "In.side" TO owns_only`) // and none on the database
	l, err := NewLoader(LoadConfig{Conn: strings.Replace(pg.DSN(db), "postgres@", "owns_only:x@", 1), Clean: true, NoOwner: true, Part: dump.Choice{Tables: []string{`"In.side".orders`}}})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := l.Rehearse(t.Context(), bytes.NewReader(stream)); err != nil || len(r.Obstacles) > 0 {
		t.Errorf("error %v, rehearsal %+v", err, r)
	}
	if err := l.Load(t.Context(), bytes.NewReader(stream)); err != nil {
		t.Error(err)
	}
}

// A schema that the target has keeps its owner and its privileges, those for what will be made in
// it too.
func TestPartOfASchemaThatIsThere(t *testing.T) {
	pg := testServer(t)
	db, into := newDB(t, pg), newDB(t, pg)
	newRole(t, pg, into, "keeps_schema")
	pg.Psql(t, db, "CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO PUBLIC; ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC; CREATE TABLE app.t (a integer)")
	pg.Psql(t, into, "CREATE SCHEMA app AUTHORIZATION keeps_schema")
	const says = "SELECT nspowner::regrole || ' ' || coalesce(nspacl::text, '') || (SELECT count(*) FROM pg_default_acl) FROM pg_namespace WHERE nspname = 'app'"
	before := pg.Psql(t, into, says)
	for i, choice := range []dump.Choice{{Schemas: []string{"app"}}, {ExcludeTables: []string{"app.none"}}} {
		warnings, err := restoreWarned(t, pg, LoadConfig{Database: into, Clean: i > 0, Part: choice}, dumpDB(t, pg, db))
		if err != nil {
			t.Fatal(err)
		}
		if after := pg.Psql(t, into, says); after != before || !strings.Contains(strings.Join(warnings, "\n"), "it is taken as it is: schema app") {
			t.Errorf("%+v: %s, want %s; warned of %q", choice, after, before, warnings)
		}
	}
	empty := newDB(t, pg)
	if err := restore(t, pg, LoadConfig{Database: empty, Part: dump.Choice{Schemas: []string{"app"}}}, dumpDB(t, pg, db)); err != nil {
		t.Fatal(err)
	}
	if got, want := pg.Psql(t, empty, says), pg.Psql(t, db, says); got != want {
		t.Errorf("made as %s, want %s", got, want)
	}
}

// Names in strings go along with their tables, whatever else is in the string: what is no name
// stays as it is.
func TestToSchemaOfNamesInStrings(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE SCHEMA app; CREATE SCHEMA registry; CREATE SCHEMA lib; CREATE TYPE app.mood AS ENUM ('a'); CREATE TYPE registry.label AS ENUM ('app.t: new', 'app.t');
		CREATE FUNCTION app.f(app.mood, integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION lib.g(app.mood) RETURNS integer LANGUAGE sql AS 'SELECT 1';
		CREATE TABLE app.t (f regprocedure DEFAULT 'app.f(app.mood, integer)'::regprocedure, g regprocedure DEFAULT 'lib.g(app.mood)'::regprocedure, m regtype DEFAULT 'app.mood[]'::regtype,
			l registry.label DEFAULT 'app.t: new', k registry.label DEFAULT 'app.t', id integer DEFAULT 0);
		CREATE SEQUENCE app."a\b'" OWNED BY app.t.id; ALTER TABLE app.t ALTER id SET DEFAULT nextval('app."a\b''"'); SELECT setval('app."a\b''"', 43)`)
	stream := dumpDB(t, pg, db)
	for _, into := range []string{db, newDB(t, pg)} {
		if err := restore(t, pg, LoadConfig{Database: into, ToSchema: "restored", Part: dump.Choice{Tables: []string{"app.t"}}}, stream); err != nil {
			t.Fatal(err)
		}
		got := pg.Psql(t, into, "INSERT INTO restored.t DEFAULT VALUES RETURNING f || '; ' || g || '; ' || m || '; ' || l || '; ' || k || '; ' || id")
		want := "restored.f(restored.mood,integer); lib.g(restored.mood); restored.mood[]; app.t: new; app.t; 44"
		if into == db {
			want = strings.Replace(want, "lib.g(restored", "lib.g(app", 1)
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Who may read a copy is who may read the original: the target's default privileges give nobody
// else anything.
func TestPartWithoutDefaultPrivileges(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	newRole(t, pg, db, `"Rea""der"`)
	newRole(t, pg, db, "global_reader")
	pg.Psql(t, db, `CREATE SCHEMA app; ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT ALL ON TABLES TO "Rea""der", PUBLIC; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO global_reader;
		ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO global_reader; ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO global_reader;
		CREATE TABLE app.salaries (id serial, i integer GENERATED ALWAYS AS IDENTITY, n integer); CREATE VIEW app.v AS SELECT n FROM app.salaries;
		REVOKE ALL ON app.salaries, app.v, app.salaries_id_seq, app.salaries_i_seq FROM "Rea""der", PUBLIC, global_reader; GRANT SELECT (n) ON app.salaries TO global_reader; GRANT INSERT ON app.v TO "Rea""der"`)
	stream := dumpDB(t, pg, db)
	const may = "SELECT string_agg(relname || ' ' || coalesce(relacl::text, '') || coalesce((SELECT attacl::text FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL), ''), ' ' ORDER BY relname) FROM pg_class c WHERE relkind IN ('r', 'v', 'S') AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = "
	want := pg.Psql(t, db, may+"'app')")
	for _, cfg := range []LoadConfig{{Clean: true}, {ToSchema: "restored"}} {
		cfg.Database, cfg.Part = db, dump.Choice{Tables: []string{"app.salaries", "app.v"}}
		if err := restore(t, pg, cfg, stream); err != nil {
			t.Fatal(err)
		}
		in := "'app')"
		if cfg.ToSchema != "" {
			in = "'restored')"
		}
		// Where all was taken, the server writes what the owner has.
		written := func(s string) string { return strings.ReplaceAll(s, "{postgres=rwU/postgres}", "") }
		if got := pg.Psql(t, db, may+in); written(got) != written(want) {
			t.Errorf("%+v:\n%s, want\n%s", cfg, got, want)
		}
	}
	if got := pg.Psql(t, db, "SELECT nspacl FROM pg_namespace WHERE nspname = 'restored'"); strings.Contains(got, "global_reader") != strings.Contains(pg.Psql(t, db, "SELECT nspacl FROM pg_namespace WHERE nspname = 'app'"), "global_reader") {
		t.Errorf("schema restored: %s", got)
	}
}

// Where a restrictive policy is left out, its table shows nothing rather than what that has hidden.
func TestPartWithoutARestrictivePolicy(t *testing.T) {
	pg := testServer(t)
	db, into := newDB(t, pg), newDB(t, pg)
	newRole(t, pg, into, `"using"`)
	t.Cleanup(func() { pg.Psql(t, db, `DROP OWNED BY "using" CASCADE`) })
	pg.Psql(t, db, `CREATE TABLE tenants (n integer); CREATE TABLE docs AS SELECT 1 AS n; ALTER TABLE docs ENABLE ROW LEVEL SECURITY; GRANT ALL ON docs TO PUBLIC;
		CREATE POLICY p ON docs; CREATE POLICY "with" ON docs AS RESTRICTIVE TO "using" USING (n IN (SELECT n FROM tenants)) WITH CHECK (true);
		CREATE POLICY "for" ON docs AS RESTRICTIVE FOR INSERT WITH CHECK (n IN (SELECT n FROM tenants)); CREATE POLICY few ON docs FOR SELECT TO PUBLIC USING (n IN (SELECT n FROM tenants));
		COMMENT ON POLICY "with" ON docs IS 'x'`)
	warnings, err := restoreWarned(t, pg, LoadConfig{Database: into, Part: dump.Choice{Tables: []string{"docs"}}}, dumpDB(t, pg, db))
	if err != nil || !strings.Contains(strings.Join(warnings, "\n"), "lets nothing pass") {
		t.Errorf("error %v, warned of %q", err, warnings)
	}
	got := pg.Psql(t, into, "SELECT string_agg(policyname || ' ' || permissive || ' ' || cmd || ' ' || roles::text || ' ' || coalesce(qual, '') || coalesce(with_check, ''), '; ' ORDER BY policyname) FROM pg_policies")
	if want := "for RESTRICTIVE INSERT {public} false; p PERMISSIVE ALL {public} ; with RESTRICTIVE ALL {using} false"; strings.TrimSpace(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := strings.TrimSpace(pg.Psql(t, into, `SET ROLE "using"; SELECT count(*) FROM docs`)); !strings.HasSuffix(got, "0") {
		t.Errorf("it shows %s rows", got)
	}
}

// Where an index gives way, what else is called so keeps its name, and the index has its new one
// wherever it is named.
func TestReindexedByPlace(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE SCHEMA app; CREATE SCHEMA far; CREATE FUNCTION app.norm(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'; CREATE TABLE far.norm (name text PRIMARY KEY); CREATE TABLE far.k (name text PRIMARY KEY);
		CREATE TABLE app.people (name text NOT NULL, norm text, k text CONSTRAINT k UNIQUE); CREATE UNIQUE INDEX norm ON app.people (name, app.norm(norm)); CREATE UNIQUE INDEX "on" ON app.people (name);
		ALTER TABLE app.people CLUSTER ON norm; ALTER TABLE app.people REPLICA IDENTITY USING INDEX "on"; COMMENT ON INDEX app.norm IS 'i'; COMMENT ON CONSTRAINT k ON app.people IS 'k'; INSERT INTO app.people VALUES ('a', 'b');
		CREATE TABLE app.other (name text CONSTRAINT norm CHECK (name <> '') REFERENCES far.norm, k text REFERENCES far.k); COMMENT ON CONSTRAINT norm ON app.other IS 'c'`)
	stream := dumpDB(t, pg, db)
	pg.Psql(t, db, "ALTER TABLE app.people RENAME TO people_old; DROP TABLE app.other")
	if err := restore(t, pg, LoadConfig{Database: db, Part: dump.Choice{Tables: []string{"people", "other"}}}, stream); err != nil {
		t.Fatal(err)
	}
	got := pg.Psql(t, db, `SELECT string_agg(c.relname || indisclustered || indisreplident || coalesce(obj_description(c.oid), ''), ' ' ORDER BY c.relname) || (SELECT string_agg(conname || coalesce(obj_description(oid), ''), ' ' ORDER BY conname) FROM pg_constraint WHERE contype <> 'n' AND conrelid IN ('app.people'::regclass, 'app.other'::regclass))
		FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = 'app.people'::regclass`)
	if want := "k_1falsefalse norm_1truefalsei on_1falsetruek_1k normc other_k_fkey other_name_fkey"; strings.TrimSpace(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// So does the schema public of a database that holds other tables. Into an empty one it comes as it
// was.
func TestPartOfALivingPublic(t *testing.T) {
	pg := testServer(t)
	db, living, empty := newDB(t, pg), newDB(t, pg), newDB(t, pg)
	pg.Psql(t, db, "REVOKE ALL ON SCHEMA public FROM PUBLIC; COMMENT ON SCHEMA public IS 'x'; CREATE TABLE t (a integer); CREATE TABLE u (a integer)")
	pg.Psql(t, living, "CREATE TABLE v (a integer)")
	const says = "SELECT nspowner::regrole || ' ' || coalesce(nspacl::text, '') || obj_description(oid) FROM pg_namespace WHERE nspname = 'public'"
	for into, like := range map[string]string{living: pg.Psql(t, living, says), empty: pg.Psql(t, db, says)} {
		if err := restore(t, pg, LoadConfig{Database: into, Part: dump.Choice{ExcludeTables: []string{"u"}}}, dumpDB(t, pg, db)); err != nil {
			t.Fatal(err)
		}
		if got := pg.Psql(t, into, says); got != like {
			t.Errorf("%s, want %s", got, like)
		}
	}
}
