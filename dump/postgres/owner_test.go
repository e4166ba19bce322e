package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/trust"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// told makes, in a schema of the session's user, a function that tells the server's log whom it ran
// as, if that is in a session of this program's: mallory's own run a hundred thousand times.
const told = `
CREATE SCHEMA evil;
CREATE FUNCTION evil.told(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN IF pg_catalog.current_setting('application_name') OPERATOR(pg_catalog.=) 'breaking-backups' THEN RAISE LOG 'HOSTILE % as % in %', what, current_user, pg_catalog.current_setting('application_name'); END IF; RETURN true; END $$;
`

// better makes what the server would take in the place of its own where names are not qualified.
const better = `
-- Better than pg_catalog's where the arguments are name and regclass.
CREATE FUNCTION evil.quote_ident(name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.told('quote_ident'); RETURN $1; END $$;
CREATE FUNCTION evil.op_better(text, regclass) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.told('||'); RETURN $1; END $$;
CREATE OPERATOR evil.|| (FUNCTION = evil.op_better, LEFTARG = text, RIGHTARG = regclass);
`

// shadows makes a twin of every function and operator of pg_catalog, and of the types that this
// package names.
const shadows = `
DO $do$ DECLARE f record; BEGIN
	FOR f IN
		SELECT DISTINCT p.proname AS name, pg_catalog.oidvectortypes(p.proargtypes) AS args, pg_catalog.format_type(p.prorettype, NULL) AS result,
		       p.proretset AS sets, p.prokind AS kind
		FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0
		  AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes::oid[] || p.prorettype) a JOIN pg_catalog.pg_type t ON t.oid = a WHERE t.typtype = 'p')
	LOOP
		EXECUTE pg_catalog.format('CREATE FUNCTION evil.%I(%s) RETURNS %s%s LANGUAGE plpgsql AS %L', f.name, f.args, CASE WHEN f.sets THEN 'SETOF ' END, f.result,
			pg_catalog.format('BEGIN PERFORM evil.told(%L); %s END', 'function ' || f.name, CASE WHEN NOT f.sets THEN 'RETURN NULL;' END));
	END LOOP;
	FOR f IN
		SELECT o.oprname AS name, o.oprleft, o.oprright, pg_catalog.format_type(o.oprleft, NULL) AS left, pg_catalog.format_type(o.oprright, NULL) AS right,
		       pg_catalog.format_type(o.oprresult, NULL) AS result, row_number() OVER () AS n
		FROM pg_catalog.pg_operator o
		WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.oid IN (o.oprleft, o.oprright, o.oprresult) AND t.typtype = 'p') AND o.oprleft <> 0 AND o.oprright <> 0 AND o.oprresult <> 0
	LOOP
		EXECUTE pg_catalog.format('CREATE FUNCTION evil.op_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', f.n, f.left, f.right, f.result,
			pg_catalog.format('BEGIN PERFORM evil.told(%L); RETURN NULL; END', 'operator ' || f.name));
		EXECUTE pg_catalog.format('CREATE OPERATOR evil.%s (FUNCTION = evil.op_%s, LEFTARG = %s, RIGHTARG = %s)', f.name, f.n, f.left, f.right);
	END LOOP;
	FOR f IN SELECT typname AS name FROM pg_catalog.pg_type WHERE typnamespace = 'pg_catalog'::regnamespace
	         AND typname IN ('regclass', 'regproc', 'regprocedure', 'regnamespace', 'regtype', 'regoperator', 'regdictionary', 'oid', 'text', 'name', 'int2', 'int4', 'char', 'bool', 'float4', 'float8') LOOP
		EXECUTE pg_catalog.format('CREATE DOMAIN evil.%I AS pg_catalog.%I CHECK (evil.told(%L))', f.name, f.name, 'domain ' || f.name);
	END LOOP;
END $do$;
`

// traps are tables whose planning calls their owner's functions, each in another way.
const traps = `
CREATE FUNCTION public.f(text, text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN IF pg_catalog.current_setting('application_name') OPERATOR(pg_catalog.=) 'breaking-backups' THEN RAISE LOG 'HOSTILE index as % in %', current_user, pg_catalog.current_setting('application_name'); END IF; RETURN $1; END $$;
CREATE FUNCTION public.p(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN IF pg_catalog.current_setting('application_name') OPERATOR(pg_catalog.=) 'breaking-backups' THEN RAISE LOG 'HOSTILE predicate as % in %', current_user, pg_catalog.current_setting('application_name'); END IF; RETURN true; END $$;
CREATE DOMAIN public.checked AS text CHECK (public.p(1));
CREATE OPERATOR public.@@@ (FUNCTION = public.f, LEFTARG = text, RIGHTARG = text);
CREATE TABLE public.a_index (id integer PRIMARY KEY, name text);
INSERT INTO public.a_index SELECT i, pg_catalog.repeat(pg_catalog.md5(i::text), 5) FROM pg_catalog.generate_series(1, 24000) i;
CREATE TABLE public.a_predicate (LIKE public.a_index INCLUDING ALL); INSERT INTO public.a_predicate TABLE public.a_index;
CREATE TABLE public.a_check (LIKE public.a_index INCLUDING ALL); INSERT INTO public.a_check TABLE public.a_index;
CREATE TABLE public.a_domain (LIKE public.a_index INCLUDING ALL); INSERT INTO public.a_domain TABLE public.a_index;
CREATE TABLE public.an_operator (LIKE public.a_index INCLUDING ALL); INSERT INTO public.an_operator TABLE public.a_index;
CREATE TABLE public.statistics (LIKE public.a_index INCLUDING ALL); INSERT INTO public.statistics TABLE public.a_index;
CREATE TABLE public.no_key AS SELECT * FROM public.a_index UNION ALL SELECT * FROM public.a_index;
CREATE TABLE public.plain (LIKE public.a_index INCLUDING ALL); INSERT INTO public.plain TABLE public.a_index;
CREATE TABLE public.moving (LIKE public.a_index INCLUDING ALL); INSERT INTO public.moving TABLE public.a_index;
CREATE SEQUENCE public.s;
CREATE FUNCTION public.op(integer, integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN IF pg_catalog.current_setting('application_name') OPERATOR(pg_catalog.=) 'breaking-backups' THEN RAISE LOG 'HOSTILE commutator as % in %', current_user, pg_catalog.current_setting('application_name'); END IF; RETURN true; END $$;
CREATE OPERATOR public.=%= (FUNCTION = public.op, LEFTARG = integer, RIGHTARG = integer, COMMUTATOR = OPERATOR(public.===));
CREATE OPERATOR public.=== (FUNCTION = pg_catalog.int4eq, LEFTARG = integer, RIGHTARG = integer, COMMUTATOR = OPERATOR(public.=%=), RESTRICT = scalarltsel);
CREATE TABLE public.a_commutator (LIKE public.a_index INCLUDING ALL); INSERT INTO public.a_commutator TABLE public.a_index;
CREATE FUNCTION public.far(integer, integer) RETURNS double precision LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN IF pg_catalog.current_setting('application_name') OPERATOR(pg_catalog.=) 'breaking-backups' THEN RAISE LOG 'HOSTILE subtype_diff as % in %', current_user, pg_catalog.current_setting('application_name'); END IF; RETURN 1; END $$;
CREATE TYPE public.span AS RANGE (subtype = integer, subtype_diff = public.far);
CREATE TABLE public.a_range (id integer PRIMARY KEY, name text, r public.span); INSERT INTO public.a_range SELECT id, name, public.span(id, id + 5) FROM public.a_index;
CREATE INDEX ON public.a_commutator (name) WHERE id IS NOT NULL OR 5 OPERATOR(public.===) id;
CREATE INDEX ON public.a_range (name) WHERE id IS NOT NULL OR r OPERATOR(pg_catalog.@>) 5;
CREATE INDEX ON public.a_index ((public.f('x', 'y') || name));
CREATE INDEX ON public.a_predicate (id) WHERE public.p(2);
ALTER TABLE public.a_check ADD CHECK (public.f('x', 'y') = 'x');
CREATE INDEX ON public.a_domain (((name || ('x'::text)::public.checked)));
CREATE INDEX ON public.an_operator ((name || ('x' OPERATOR(public.@@@) 'y')));
CREATE INDEX ON public.no_key ((public.f('x', 'y') || name));
ANALYZE;
`

// ranAsUs returns what the server's log says of functions that ran in a session of this program's,
// since the offset.
func ranAsUs(t *testing.T, pg *servers.PG, since int64) []string {
	t.Helper()
	log, err := os.ReadFile(pg.LogFile)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var list []string
	for line := range strings.Lines(string(log[since:])) {
		if _, what, ok := strings.Cut(line, "HOSTILE "); ok && strings.Contains(what, "in breaking-backups") && !seen[what] {
			seen[what] = true
			list = append(list, strings.TrimSpace(what))
		}
	}
	return list
}

// The owner of a database means harm: whatever he puts into it, nothing of it runs in a session of
// a dump, or of a restore that looks into his database. His functions stand in front of the
// server's own; and his traps come and go while the dump looks, in a database small enough that the
// dumps are many.
func TestHostileOwner(t *testing.T) {
	t.Run("shadows", func(t *testing.T) { hostileOwner(t, told+shadows+better, 3, false) })
	t.Run("traps that come and go", func(t *testing.T) { hostileOwner(t, told+better, 10, true) })
}

// hostileOwner dumps what mallory made, so many times in each role, and restores into his other
// database.
func hostileOwner(t *testing.T, evil string, rounds int, moving bool) {
	pg := testServer(t)
	pg.Psql(t, "postgres", `CREATE ROLE mallory LOGIN PASSWORD 'x'; CREATE ROLE "reads all" LOGIN PASSWORD 'x'`)
	readsAll := pg.Psql(t, "postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'pg_read_all_data'") == "1" // since 14
	if readsAll {
		pg.Psql(t, "postgres", `GRANT pg_read_all_data TO "reads all"`)
	}
	db, target := "mallorys", "mallorys_too"
	t.Cleanup(func() {
		pg.Psql(t, "postgres", `DROP DATABASE IF EXISTS mallorys WITH (FORCE)`)
		pg.Psql(t, "postgres", `DROP DATABASE IF EXISTS mallorys_too WITH (FORCE)`)
		pg.Psql(t, "postgres", `DROP ROLE mallory, "reads all"`)
	})
	pg.Psql(t, "postgres", "CREATE DATABASE mallorys OWNER mallory")
	pg.Psql(t, "postgres", "CREATE DATABASE mallorys_too OWNER mallory")
	pg.Psql(t, "postgres", "ALTER DATABASE mallorys SET constraint_exclusion = on")
	if pg.Psql(t, "postgres", "SELECT current_setting('server_version_num')::int >= 150000") == "t" {
		pg.Psql(t, db, "ALTER SCHEMA public OWNER TO mallory")
	}
	mallory := strings.Replace(pg.DSN(db), "postgres@", "mallory:x@", 1)
	asMallory := func(db, sql string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), strings.Replace(pg.DSN(db), "postgres@", "mallory:x@", 1))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		if _, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	asMallory(db, traps)
	statistics := pg.Psql(t, db, "SELECT current_setting('server_version_num')::int >= 140000") == "t"
	if statistics {
		asMallory(db, `CREATE STATISTICS public.st ON (public.f('x', 'y') || name) FROM public.statistics; ANALYZE public.statistics`)
	}
	if !readsAll {
		pg.Psql(t, db, `GRANT USAGE ON SCHEMA public TO "reads all"; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "reads all"; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO "reads all"`)
	}
	asMallory(db, evil)
	asMallory(target, evil)
	asMallory(target, "ALTER DATABASE mallorys_too SET search_path = evil, pg_catalog")
	asMallory(db, "ALTER DATABASE mallorys SET search_path = evil, pg_catalog")
	start := int64(len(readFile(t, pg.LogFile)))

	// While all this goes on he may make traps and take them away again.
	ctx, stop := context.WithCancel(t.Context())
	var loop sync.WaitGroup
	loop.Go(func() {
		if !moving {
			return
		}
		conn, err := pgx.Connect(ctx, mallory)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close(context.WithoutCancel(ctx))
		for ctx.Err() == nil {
			for _, sql := range []string{
				"SET lock_timeout = '2s'",
				"CREATE INDEX trap ON public.moving ((public.f('x', 'y') || name))",
				"DROP INDEX IF EXISTS public.trap",
				"CREATE INDEX CONCURRENTLY trap ON public.plain (id) WHERE public.p(2)",
				"DROP INDEX IF EXISTS public.trap",
				"ALTER SCHEMA evil RENAME TO devil; ALTER SCHEMA devil RENAME TO evil",
			} {
				conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol) // often refused, as it waits for the dump
			}
		}
	})
	harmless := pg.CreateDB(t)
	pg.Psql(t, harmless, "CREATE TABLE t AS SELECT 1 AS i")
	stream := dumpDB(t, pg, harmless)
	dumps := 0
	for i := range rounds {
		for _, role := range []string{"postgres@", "reads%20all:x@"} {
			order := []RowOrder{OrderAuto, OrderKey, OrderPhysical}[i%3]
			src, err := NewSource(Config{Conn: strings.Replace(pg.DSN(db), "postgres@", role, 1), RowOrder: order, Jobs: 1 + i%3, LockTimeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := src.Survey(ctx); err != nil {
				t.Errorf("check as %s: %v", role, err)
			}
			// A trap that is made in the midst of a table ends the dump; that is as good.
			switch err := src.Dump(ctx, io.Discard); {
			case err == nil:
				dumps++
			case !errors.Is(err, trust.ErrUsersCode) && !errors.Is(err, catalog.ErrGone):
				t.Errorf("dump %d as %s, order %s: %v", i, role, order, err)
			}
		}
		if err := restore(t, pg, LoadConfig{Database: target}, stream); !errors.Is(err, dump.ErrNotEmpty) {
			t.Errorf("restore into a database that is not empty: %v", err)
		}
		if got := ranAsUs(t, pg, start); len(got) > 0 {
			t.Fatalf("round %d: %d of the owner's ran in our sessions:\n%s", i, len(got), strings.Join(got[:min(len(got), 20)], "\n"))
		}
	}
	stop()
	loop.Wait()
	// A database can say whom a session that enters it is to be.
	pg.Psql(t, "postgres", "ALTER DATABASE mallorys SET role = mallory")
	for _, role := range []string{"postgres@", "reads%20all:x@"} {
		src, err := NewSource(Config{Conn: strings.Replace(pg.DSN(db), "postgres@", role, 1)})
		if err != nil {
			t.Fatal(err)
		}
		conn, _, err := server.Connect(t.Context(), src.cfg.Conn, db, server.ForReading(0))
		if err != nil {
			t.Fatal(err)
		}
		var is bool
		if err := conn.QueryRow(t.Context(), "SELECT current_user = session_user").Scan(&is); err != nil || !is {
			t.Errorf("the session of %s is somebody else (%v)", role, err)
		}
		conn.Close(t.Context())
	}
	pg.Psql(t, "postgres", "ALTER DATABASE mallorys RESET role")
	least := 2 * rounds
	if moving {
		least = rounds
	}
	if dumps < least {
		t.Errorf("%d of %d dumps came to an end, want %d at least", dumps, 2*rounds, least)
	}
	if err := restore(t, pg, LoadConfig{Database: target, Clean: true}, stream); err != nil {
		t.Errorf("restore over what he made: %v", err)
	}
	if got := ranAsUs(t, pg, start); len(got) > 0 {
		t.Errorf("restoring with clean ran %s", got)
	}
	// The traps are such: a session that does not look runs into each.
	before := int64(len(readFile(t, pg.LogFile)))
	for _, table := range []string{"a_index", "a_predicate", "a_check", "a_domain", "an_operator", "no_key", "a_commutator", "a_range"} {
		pg.Psql(t, db, "SET application_name = 'breaking-backups'; SELECT id FROM ONLY public."+table+" WHERE ctid < '(1,0)' LIMIT 1; SELECT id FROM ONLY public."+table+" WHERE id >= 7 ORDER BY id LIMIT 1")
		if len(ranAsUs(t, pg, before)) == 0 {
			t.Errorf("planning %s ran nothing: the test tests nothing", table)
		}
		before = int64(len(readFile(t, pg.LogFile)))
	}
}

// A database whose functions do not find what they call, when nothing is on the search path, is
// dumped to the last row.
func TestFunctionsThatDoNotFindTheirCallees(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	pg.Psql(t, db, `CREATE FUNCTION helper(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
		CREATE FUNCTION slugify(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT replace(public.helper($1), ' ', '-') $$;
		CREATE TABLE city (id integer PRIMARY KEY, name text);
		INSERT INTO city SELECT i, 'City ' || repeat(md5(i::text), 4) FROM generate_series(1, 60000) i;
		CREATE TABLE no_key AS TABLE city;
		CREATE INDEX ON city (slugify(name)); CREATE INDEX ON no_key (slugify('x')); CREATE INDEX ON no_key (id) WHERE slugify('x') = 'x';
		-- Since 17 an index is built with nothing on the path, too.
		CREATE OR REPLACE FUNCTION slugify(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT replace(helper($1), ' ', '-') $$`)
	for _, order := range []RowOrder{OrderAuto, OrderKey, OrderPhysical} {
		var said []string
		src, err := NewSource(Config{Conn: pg.DSN(db), RowOrder: order, Debug: func(s string) { said = append(said, s) }})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := src.Dump(t.Context(), &out); err != nil {
			t.Fatalf("order %s: %v", order, err)
		}
		if n := bytes.Count(out.Bytes(), []byte("\tCity ")); n != 120_000 {
			t.Errorf("order %s: %d rows, want 120000", order, n)
		}
		if all := strings.Join(said, "\n"); !strings.Contains(all, "public.city: as they lie") || !strings.Contains(all, "2 tables") {
			t.Errorf("order %s: said %q, want the tables that are read as they lie, and how many", order, said)
		}
	}
}

// readingSession opens a session as a dump does.
func readingSession(t *testing.T, cfg Config) (*Source, *pgx.Conn, server.Info) {
	t.Helper()
	src, err := NewSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	conn, srv, err := server.Connect(t.Context(), src.cfg.Conn, src.cfg.Conn.Database, server.ForReading(src.cfg.LockTimeout))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return src, conn, srv
}

// ownedByAnother makes a database whose tables belong to a role that is not trusted.
func ownedByAnother(t *testing.T, pg *servers.PG, role, tables string) string {
	t.Helper()
	db := pg.CreateDB(t)
	newRole(t, pg, db, role)
	pg.Psql(t, db, "GRANT CREATE, USAGE ON SCHEMA public TO "+role+"; SET ROLE "+role+"; "+tables)
	return db
}

const watchedTables = `CREATE TABLE a_big (id integer PRIMARY KEY, s text); INSERT INTO a_big SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, 80000) i;
	CREATE TABLE b_big (id integer, s text); INSERT INTO b_big TABLE a_big; CREATE SEQUENCE counts; CREATE SEQUENCE begun; SELECT nextval('begun'), setval('counts', 42, false); ANALYZE`

// What is watched leaves as what is trusted does, on any number of connections.
func TestWatchedTablesAreReadAlike(t *testing.T) {
	pg := testServer(t)
	db := ownedByAnother(t, pg, "watched_owner", watchedTables)
	for _, order := range []RowOrder{OrderKey, OrderPhysical} {
		want := dumpWith(t, Config{Conn: pg.DSN(db), RowOrder: order, TrustOwners: true})
		if !bytes.Contains(want, []byte("setval('public.counts', 42, false)")) || !bytes.Contains(want, []byte("setval('public.begun', 1, true)")) {
			t.Error("the sequences are not where they stand")
		}
		for _, jobs := range []int{1, 2, 4} {
			if got := dumpWith(t, Config{Conn: pg.DSN(db), RowOrder: order, Jobs: jobs}); !bytes.Equal(want, got) {
				t.Errorf("order %s, %d jobs: another dump than of trusted owners", order, jobs)
			}
		}
	}
}

// Somebody who makes an index on a table that is being read, behind whom all writers would wait, is
// let through, however long the consumer of the dump sleeps.
func TestTheGuardGivesWay(t *testing.T) {
	pg := testServer(t)
	db := ownedByAnother(t, pg, "waiting_owner", strings.Replace(watchedTables, "80000", "500000", 1))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	owner, err := pgx.Connect(ctx, strings.Replace(pg.DSN(db), "postgres@", "waiting_owner:x@", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.WithoutCancel(ctx))
	src, err := NewSource(Config{Conn: pg.DSN(db), Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	asleep := false
	err = src.Dump(ctx, writerFunc(func(p []byte) (int, error) {
		if out.Write(p); !asleep && out.Len() > 4<<20 {
			asleep = true
			// The readers fill their buffers and wait; the guard's lock is on a_big.
			for _, sql := range []string{"CREATE INDEX harmless ON public.a_big (s)", "INSERT INTO public.a_big VALUES (-1, 'x')", "CREATE INDEX too ON public.b_big (id)"} {
				if _, err := owner.Exec(ctx, sql); err != nil {
					t.Errorf("%s: %v", sql, err)
				}
			}
		}
		return len(p), nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if !asleep {
		t.Fatal("the dump was too small")
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n < 1_000_000 {
		t.Errorf("%d lines, want more than a million", n)
	}
}

// Somebody who waits to alter a table that is being watched keeps the dump from nothing.
func TestAWaitingAlterOfAWatchedTable(t *testing.T) {
	pg := testServer(t)
	db := ownedByAnother(t, pg, "altering_owner", watchedTables)
	want := dumpWith(t, Config{Conn: pg.DSN(db)})
	for _, after := range []int{0, 3 << 20} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		owner, err := pgx.Connect(ctx, strings.Replace(pg.DSN(db), "postgres@", "altering_owner:x@", 1))
		if err != nil {
			t.Fatal(err)
		}
		altered := make(chan error, 1)
		begun := false
		begin := func() {
			begun = true
			go func() {
				_, err := owner.Exec(ctx, "BEGIN; LOCK TABLE public.a_big IN ACCESS EXCLUSIVE MODE; COMMIT")
				altered <- err
			}()
			for pg.Psql(t, db, fmt.Sprintf("SELECT count(*) FROM pg_locks WHERE pid = %d AND NOT granted", owner.PgConn().PID())) != "1" {
				if ctx.Err() != nil {
					t.Error("the other session never came to wait")
					return
				}
			}
		}
		src, err := NewSource(Config{Conn: pg.DSN(db), Debug: func(s string) {
			if after == 0 && !begun && strings.Contains(s, "public.b_big:") {
				begin()
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err = src.Dump(ctx, writerFunc(func(p []byte) (int, error) {
			if out.Write(p); !begun && out.Len() > after {
				begin()
			}
			return len(p), nil
		}))
		if err != nil {
			t.Errorf("after %d bytes: %v", after, err)
		}
		if err := <-altered; err != nil {
			t.Error(err)
		}
		if after > 0 && !bytes.Equal(want, out.Bytes()) {
			t.Errorf("after %d bytes: another dump than without anybody waiting", after)
		}
		if bytes.Count(out.Bytes(), []byte("\n")) != bytes.Count(want, []byte("\n")) {
			t.Errorf("after %d bytes: not all the rows", after)
		}
		owner.Close(ctx)
		cancel()
	}
}

// A partition is judged by those whom its tables belong to: an index of theirs comes to it.
func TestPartitionsOfOthers(t *testing.T) {
	pg := testServer(t)
	db := ownedByAnother(t, pg, "parents_owner", "CREATE TABLE parent (id integer, s text) PARTITION BY RANGE (id)")
	pg.Psql(t, db, "CREATE TABLE leaf PARTITION OF parent FOR VALUES FROM (0) TO (1000000); INSERT INTO leaf SELECT i, repeat(md5(i::text), 5) FROM generate_series(1, 60000) i")
	_, conn, srv := readingSession(t, Config{Conn: pg.DSN(db)})
	var oid uint32
	if err := conn.QueryRow(t.Context(), "SELECT 'public.leaf'::regclass::oid").Scan(&oid); err != nil {
		t.Fatal(err)
	}
	of, err := trust.Judge(t.Context(), conn, srv, false, []uint32{oid}, true)
	if err != nil {
		t.Fatal(err)
	}
	if of[oid] != trust.Watched {
		t.Errorf("the leaf is judged %d, want watched (%d)", of[oid], trust.Watched)
	}
}

// The guard serves tables in the order of the queue. Out of it, the readers of a later one would
// fill their buffers while the writer waits for a piece whose reader waits for the guard.
func TestTheGuardKeepsTheOrder(t *testing.T) {
	pg := testServer(t)
	db := ownedByAnother(t, pg, "ordering_owner", `CREATE FUNCTION f(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
		CREATE TABLE a (id integer, s text); INSERT INTO a SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, 60000) i; CREATE INDEX ON a (f(s));
		CREATE TABLE b (id integer PRIMARY KEY, s text); INSERT INTO b SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, 34000) i;
		CREATE TABLE c (id integer PRIMARY KEY, s text); INSERT INTO c SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, 400000) i; ANALYZE`)
	var want []byte
	for i := range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		src, err := NewSource(Config{Conn: pg.DSN(db), Jobs: 2 + i%3})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := src.Dump(ctx, &out); err != nil {
			t.Fatalf("dump %d: %v", i, err)
		}
		cancel()
		if want == nil {
			want = out.Bytes()
		}
		if !bytes.Equal(want, out.Bytes()) {
			t.Errorf("dump %d is another", i)
		}
	}
}

// Options that a server keeps in its catalogues for itself are not the data's.
func TestOptionsOfTheServersOwn(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE TABLE t (a integer PRIMARY KEY, b text) WITH (fillfactor = 70, toast.autovacuum_enabled = false);
		ALTER TABLE t ALTER b SET (n_distinct = -0.5); CREATE INDEX i ON t (b) WITH (fillfactor = 60); CREATE INDEX j ON t (b);
		CREATE VIEW v WITH (security_barrier) AS TABLE t; CREATE MATERIALIZED VIEW m AS TABLE t`)
	want := dumpWith(t, Config{Conn: pg.DSN(db)})
	for _, kept := range []string{"n_distinct", "fillfactor", "security_barrier", "autovacuum_enabled"} {
		if !bytes.Contains(want, []byte(kept)) {
			t.Errorf("%s is not kept", kept)
		}
	}
	pg.Psql(t, db, `UPDATE pg_attribute SET attoptions = attoptions || ARRAY['pg_attver=7'] WHERE attrelid IN ('t'::regclass, 'v'::regclass, 'm'::regclass) AND attnum > 0;
		UPDATE pg_class SET reloptions = reloptions || ARRAY['pg_relver=7'] WHERE oid IN ('t'::regclass, 'v'::regclass, 'm'::regclass, 'i'::regclass, 'j'::regclass, 't_pkey'::regclass)
		   OR oid = (SELECT reltoastrelid FROM pg_class WHERE oid = 't'::regclass)`)
	if got := dumpWith(t, Config{Conn: pg.DSN(db)}); !bytes.Equal(want, got) {
		t.Error("the server's own options change the dump")
	}
	pg.Psql(t, db, `UPDATE pg_class SET reloptions = ARRAY['unheard_of=1'] WHERE oid = 't'::regclass`)
	var warnings []string
	src, err := NewSource(Config{Conn: pg.DSN(db), Warn: func(s string) { warnings = append(warnings, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Dump(t.Context(), &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "unheard_of") {
		t.Errorf("warnings %q, want one that names the option", warnings)
	}
}
