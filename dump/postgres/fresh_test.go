package postgres

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/fresh"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// dirt is what a database can have besides a new one, of every kind that has to be found without a
// relation, a function or a type: what makes it, how it is named, and what takes it back.
var dirt = []struct{ make, name, undo string }{
	{"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor", "default privileges of role postgres on tables", "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM pg_monitor"},
	{
		"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO pg_monitor", "default privileges of role postgres on functions in schema public",
		"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE EXECUTE ON FUNCTIONS FROM pg_monitor",
	},
	{"CREATE PUBLICATION p FOR ALL TABLES", "publication p", "DROP PUBLICATION p"},
	{"CREATE FOREIGN DATA WRAPPER w", "foreign data wrapper w", "DROP FOREIGN DATA WRAPPER w"},
	{"CREATE LANGUAGE l HANDLER plpgsql_call_handler", "language l", "DROP LANGUAGE l"},
	{"CREATE ACCESS METHOD am TYPE INDEX HANDLER bthandler", "access method am", "DROP ACCESS METHOD am"},
	{"CREATE COLLATION public.c (LOCALE = 'C')", "collation public.c", "DROP COLLATION public.c"},
	{"CREATE CONVERSION public.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8", "conversion public.conv", "DROP CONVERSION public.conv"},
	{"CREATE TEXT SEARCH PARSER public.ts (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)", "text search parser public.ts", "DROP TEXT SEARCH PARSER public.ts"},
	{"CREATE TEXT SEARCH TEMPLATE public.ts (LEXIZE = dsimple_lexize)", "text search template public.ts", "DROP TEXT SEARCH TEMPLATE public.ts"},
	{"CREATE TEXT SEARCH DICTIONARY public.ts (TEMPLATE = simple)", "text search dictionary public.ts", "DROP TEXT SEARCH DICTIONARY public.ts"},
	{"CREATE TEXT SEARCH CONFIGURATION public.ts (COPY = simple)", "text search configuration public.ts", "DROP TEXT SEARCH CONFIGURATION public.ts"},
	{"CREATE OPERATOR public.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)", "operator public.=== (integer, integer)", "DROP OPERATOR public.=== (int, int)"},
	{"CREATE OPERATOR FAMILY public.f USING btree", "operator family public.f USING btree", "DROP OPERATOR FAMILY public.f USING btree"},
	{"CREATE CAST (int AS point) WITH INOUT", "cast (integer AS point)", "DROP CAST (int AS point)"},
	{
		"CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal))", "transform FOR integer LANGUAGE sql",
		"DROP TRANSFORM FOR int LANGUAGE sql",
	},
	{"SELECT lo_create(47111)", "large object 47111", "SELECT lo_unlink(47111)"},
	{
		"CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE)", "subscription s",
		"DROP SUBSCRIPTION s",
	},
	{
		"REVOKE EXECUTE ON FUNCTION pg_sleep(double precision) FROM PUBLIC", "privileges on FUNCTION pg_catalog.pg_sleep(double precision)",
		"GRANT EXECUTE ON FUNCTION pg_sleep(double precision) TO PUBLIC",
	},
	{"GRANT SELECT ON pg_authid TO pg_monitor", "privileges on TABLE pg_catalog.pg_authid", "REVOKE SELECT ON pg_authid FROM pg_monitor"},
	{
		"GRANT SELECT (rolpassword) ON pg_authid TO pg_monitor", "privileges on TABLE pg_catalog.pg_authid",
		"REVOKE SELECT (rolpassword) ON pg_authid FROM pg_monitor",
	},
	{"REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC", "privileges on LANGUAGE plpgsql", "GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC"},
	{"REVOKE USAGE ON TYPE money FROM PUBLIC", "privileges on TYPE pg_catalog.money", "GRANT USAGE ON TYPE money TO PUBLIC"},
}

// A database counts as empty where a dump of it would be that of a new one, whichever template that
// is made of. What else there is is named.
func TestEmptyIsNew(t *testing.T) {
	pg := testServer(t)
	of0, of1 := newDB(t, pg), pg.CreateDB(t)
	pg.Psql(t, "postgres", "DROP DATABASE "+of0)
	pg.Psql(t, "postgres", "CREATE DATABASE "+of0+" TEMPLATE template0")
	conn := sessionIn(t, pg, of0)
	for _, db := range []string{of0, of1} {
		if found, warned := foundIn(t, pg, db); found != "" || len(warned) > 0 {
			t.Errorf("a new database has %s, warnings %q", found, warned)
		}
	}
	var want []string
	for _, d := range dirt {
		execute(t, conn, d.make)
		want = append(want, d.name)
	}
	execute(t, conn, "BEGIN; "+server.ClearPath)
	list, err := catalog.Additions(t.Context(), conn, server.Info{Version: version(t, pg), Encoding: "UTF8"})
	if err != nil {
		t.Fatal(err)
	}
	execute(t, conn, "ROLLBACK")
	slices.Sort(want)
	if got := slices.Sorted(slices.Values(fresh.NamesOf(list))); !slices.Equal(got, slices.Compact(want)) {
		t.Errorf("what a new database has not got (-want +got):\n%s", cmp.Diff(slices.Compact(want), got))
	}
	for i, d := range slices.Backward(dirt) {
		if i%8 == 0 { // with what is left of them
			if found, _ := foundIn(t, pg, of0); found == "" {
				t.Errorf("a database with %s counts as empty", d.name)
			}
		}
		execute(t, conn, d.undo)
	}
	if found, warned := foundIn(t, pg, of0); found != "" || len(warned) > 0 {
		t.Errorf("after all was taken back there is %s, warnings %q", found, warned)
	}
	// As a provider's databases are, and as whoever prepares one for a role does.
	for _, other := range []struct{ sql, named string }{
		{"REVOKE EXECUTE ON FUNCTION pg_sleep(double precision) FROM PUBLIC", "privileges on FUNCTION pg_catalog.pg_sleep(double precision)"},
		{"ALTER DEFAULT PRIVILEGES FOR ROLE pg_monitor GRANT SELECT ON TABLES TO pg_read_all_stats", "default privileges of role pg_monitor on tables"},
		{"GRANT CREATE ON SCHEMA public TO pg_monitor", "schema public"},
		{"DROP SCHEMA public; CREATE SCHEMA public", "schema public"},
	} {
		execute(t, conn, other.sql)
		if found, warned := foundIn(t, pg, of0); found != "" || len(warned) != 1 || !strings.Contains(warned[0], other.named) {
			t.Errorf("%s: there is %q, warnings %q", other.sql, found, warned)
		}
	}
}

// foundIn is what keeps a database from being empty, by its name, and what is warned of.
func foundIn(t *testing.T, pg *servers.PG, db string) (found string, warned []string) {
	t.Helper()
	conn, srv, err := server.Connect(t.Context(), mustConfig(t, pg.DSN(db)), db, server.ForLoading(0))
	if err != nil {
		t.Fatal(err)
	}
	defer server.HangUp(conn)
	found, _, err = fresh.Target{Conn: conn, Srv: srv, Name: db, Warn: func(s string) { warned = append(warned, s) }}.Look(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	return found, warned
}

// What Clean has emptied is as a new database to this program and to pg_dump.
func TestCleanIsNew(t *testing.T) {
	skipShort(t)
	pg := servers.Postgres(t) // the script makes roles
	fresh, db := pg.CreateDB(t), newDB(t, pg)
	pg.Psql(t, "postgres", "CREATE ROLE owner_of_little LOGIN PASSWORD 'x'")
	t.Cleanup(func() {
		pg.Psql(t, db, "ALTER DATABASE "+db+" OWNER TO postgres; DROP OWNED BY owner_of_little CASCADE; DROP ROLE owner_of_little")
	})
	psqlLoad(t, pg, db, readFile(t, "testdata/database/kinds.sql"))
	conn := sessionIn(t, pg, db)
	for _, d := range dirt {
		execute(t, conn, d.make)
	}
	stream := dumpWith(t, Config{Conn: pg.DSN(fresh), AllowEmpty: true})
	var warned []string
	cfg := LoadConfig{Database: db, Clean: true, Warn: func(s string) { warned = append(warned, s) }}
	// Somebody is connected all the while, and has tables of his own session.
	bystander, busy := sessionIn(t, pg, db), sync.WaitGroup{}
	ctx, leave := context.WithCancel(t.Context())
	busy.Go(func() {
		for ctx.Err() == nil {
			bystander.Exec(ctx, "CREATE TEMPORARY TABLE mine (); DROP TABLE mine", pgx.QueryExecModeSimpleProtocol)
		}
	})
	err := restore(t, pg, cfg, stream)
	leave()
	busy.Wait()
	if err != nil || len(warned) != 1 || !strings.Contains(warned[0], "as a new one again in: ") || !strings.Contains(warned[0], "privileges on TYPE pg_catalog.money") {
		t.Fatalf("error %v, warnings %q", err, warned)
	}
	warned = nil
	if got := dumpWith(t, Config{Conn: pg.DSN(db), AllowEmpty: true}); !slices.Equal(got, stream) {
		t.Errorf("the dump of what was emptied (-new +this):\n%s", cmp.Diff(string(stream), string(got)))
	}
	if diff := cmp.Diff(pgDump(t, pg, fresh), pgDump(t, pg, db)); diff != "" {
		t.Errorf("pg_dump tells what was emptied from a new database (-new +this):\n%s", diff)
	}
	// What the role may not take back stays, and is named.
	execute(t, conn, "ALTER DATABASE "+db+" OWNER TO owner_of_little; ALTER SCHEMA public OWNER TO owner_of_little; REVOKE EXECUTE ON FUNCTION pg_sleep(double precision) FROM PUBLIC")
	cfg.Conn = strings.Replace(pg.DSN(db), "postgres@", "owner_of_little:x@", 1)
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Load(t.Context(), strings.NewReader(string(stream))); err != nil {
		t.Fatal(err)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "privileges on FUNCTION pg_catalog.pg_sleep(double precision)") {
		t.Errorf("warned of %q", warned)
	}
}
