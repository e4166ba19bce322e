package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// However many connections load a dump, pg_dump says the same of the result.
func TestLoadIsTheSameWithAnyJobs(t *testing.T) {
	pg := testServer(t)
	pg.Psql(t, "postgres", `SET allow_in_place_tablespaces = on; CREATE TABLESPACE "else where" LOCATION ''`)
	t.Cleanup(func() { pg.Psql(t, "postgres", `DROP TABLESPACE "else where"`) })
	db := newDB(t, pg)
	psqlLoad(t, pg, db, readFile(t, "testdata/jobs.sql"))
	original := pgDump(t, pg, db)
	stream := dumpDB(t, pg, db)
	for _, jobs := range []int{1, 2, 5} {
		restored := newDB(t, pg)
		if err := restore(t, pg, LoadConfig{Database: restored, Jobs: jobs}, stream); err != nil {
			t.Fatalf("%d jobs: %v", jobs, err)
		}
		if diff := cmp.Diff(strings.Split(original, "\n"), strings.Split(pgDump(t, pg, restored), "\n")); diff != "" {
			t.Errorf("%d jobs: pg_dump tells the restored database from the original (-original +restored):\n%s", jobs, diff)
		}
		if again := dumpDB(t, pg, restored); !bytes.Equal(stream, again) {
			t.Errorf("%d jobs: a dump of the restored database differs:\n%s", jobs, cmp.Diff(string(stream), string(again)))
		}
	}
}

// during makes the server run a function's body before each statement with the tag given.
func during(tag, body string) string {
	return fmt.Sprintf(`SELECT pg_catalog.set_config('event_triggers', 'on', false) WHERE pg_catalog.current_setting('event_triggers', true) IS NOT NULL;
CREATE FUNCTION public.during() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN %s END $$;
CREATE EVENT TRIGGER during ON ddl_command_start WHEN TAG IN (%s) EXECUTE FUNCTION public.during();
`, body, server.Literal(tag))
}

const threeTables = "CREATE TABLE public.a (id integer); CREATE TABLE public.b (id integer); CREATE TABLE public.c (id integer);\n"

func rowsOf(table string, n int) (dump.Table, string) {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = strconv.Itoa(i)
	}
	text := strings.Join(rows, "\n") + "\n"
	if n == 0 {
		text = ""
	}
	return tableOf(table, rows...), "COPY " + table + " (id) FROM stdin;\n" + text + "\\.\n"
}

// Each index waits for two others to be begun: one connection less, and it would fail.
func TestIndexesAreBuiltAtOnce(t *testing.T) {
	pg := testServer(t)
	a, rows := rowsOf("public.a", 10)
	stream := written(t, dump.Manifest{a}, threeTables+rows+during("CREATE INDEX", `
		PERFORM pg_catalog.pg_advisory_lock_shared(7);
		FOR i IN 1..6000 LOOP
			IF (SELECT count(*) >= 3 FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objid = 7) THEN RETURN; END IF;
			PERFORM pg_catalog.pg_sleep(0.005);
		END LOOP;
		RAISE 'alone';`)+`
CREATE INDEX i ON public.a USING btree (id);
CREATE INDEX j ON public.a USING hash (id);
CREATE INDEX k ON public.b USING btree (id);
COMMENT ON INDEX public.k IS 'built with the others';
`)
	db := newDB(t, pg)
	if err := restore(t, pg, LoadConfig{Database: db, Jobs: 3, BuildApart: -1}, stream); err != nil {
		t.Fatal(err)
	}
	if got := pg.Psql(t, db, "SELECT obj_description('public.k'::regclass)"); got != "built with the others" {
		t.Errorf("the comment is %q", got)
	}
}

// The rows of the second table do not come to an end before the first one's index is there.
func TestIndexesAreBuiltWhileRowsAreLoaded(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	a, rowsA := rowsOf("public.a", 10)
	b, rowsB := rowsOf("public.b", 200_000)
	stream := written(t, dump.Manifest{a, b}, threeTables+rowsA+"CREATE INDEX i ON public.a USING btree (id);\n"+rowsB+"CREATE INDEX j ON public.b USING btree (id);\n")
	l, err := NewLoader(LoadConfig{Conn: pg.DSN(db), Jobs: 2, BuildApart: -1})
	if err != nil {
		t.Fatal(err)
	}
	gate := io.MultiReader(bytes.NewReader(stream[:len(stream)/2]), &waitingReader{until: func() bool {
		return pg.Psql(t, db, "SELECT count(*) FROM pg_index WHERE indrelid = to_regclass('public.a') AND indisvalid") == "1"
	}}, bytes.NewReader(stream[len(stream)/2:]))
	if err := l.Load(context.Background(), gate); err != nil {
		t.Fatal(err)
	}
	if got := pg.Psql(t, db, "SELECT count(*) FROM b"); got != "200000" {
		t.Errorf("b has %s rows", got)
	}
}

// waitingReader has nothing to say but waits before it ends.
type waitingReader struct{ until func() bool }

func (w *waitingReader) Read([]byte) (int, error) {
	for deadline := time.Now().Add(time.Minute); !w.until(); {
		if time.Now().After(deadline) {
			return 0, errors.New("waited for a minute in vain")
		}
	}
	return 0, io.EOF
}

func TestForeignKeyWaitsForItsKey(t *testing.T) {
	pg := testServer(t)
	var sql strings.Builder
	sql.WriteString("CREATE TABLE public.a (id integer NOT NULL, other integer);\n")
	for i := range 5 {
		fmt.Fprintf(&sql, "CREATE TABLE public.b%d (id integer);\n", i)
	}
	sql.WriteString(during("ALTER TABLE", `IF pg_catalog.current_query() ~ 'PRIMARY' THEN PERFORM pg_catalog.pg_sleep(0.3); END IF;`))
	sql.WriteString("ALTER TABLE ONLY public.a\n    ADD CONSTRAINT a_pkey PRIMARY KEY (id);\n")
	for i := range 5 {
		fmt.Fprintf(&sql, "ALTER TABLE ONLY public.b%d\n    ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES public.a(id);\n", i)
	}
	sql.WriteString("ALTER TABLE ONLY public.a\n    ADD CONSTRAINT f FOREIGN KEY (other) REFERENCES public.a(id);\nCOMMENT ON CONSTRAINT f ON public.a IS 'x';\n")
	db := newDB(t, pg)
	if err := restore(t, pg, LoadConfig{Database: db, Jobs: 4, BuildApart: -1}, written(t, nil, sql.String())); err != nil {
		t.Fatal(err)
	}
	if got := pg.Psql(t, db, "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated"); got != "6" {
		t.Errorf("%s foreign keys, want 6", got)
	}
}

// What the dump sets for its session holds in those that build for it.
func TestSettingsReachEverySession(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	stream := written(t, nil, "SET client_encoding = 'LATIN1';\nSET lock_timeout = 77;\n"+threeTables+
		"CREATE TABLE public.seen (what text);\n"+
		during("CREATE INDEX", `INSERT INTO public.seen SELECT pg_catalog.current_setting('lock_timeout') || ' ' || (pg_catalog.pg_backend_pid() = (SELECT min(pid) FROM public.main));`)+
		"CREATE TABLE public.main AS SELECT pg_catalog.pg_backend_pid() AS pid;\n"+
		"CREATE INDEX \"caf\xe9\" ON public.a USING btree (id);\nSET lock_timeout = 88;\nCREATE INDEX j ON public.b USING btree (id);\nSET lock_timeout = 99;\nCREATE INDEX k ON public.c USING btree (id);\n")
	if err := restore(t, pg, LoadConfig{Database: db, Jobs: 2, BuildApart: -1}, stream); err != nil {
		t.Fatal(err)
	}
	if got := pg.Psql(t, db, "SELECT count(*) FROM pg_class WHERE relname = 'café'"); got != "1" {
		t.Error("the index's name came in another encoding")
	}
	if got := pg.Psql(t, db, "SELECT string_agg(split_part(what, ' ', 1), ',' ORDER BY what) FROM seen"); got != "77ms,88ms,99ms" {
		t.Errorf("settings %s", got)
	}
	if got := pg.Psql(t, db, "SELECT count(*) > 0 FROM seen WHERE what ~ 'false'"); got != "t" {
		t.Error("no index was built on another connection")
	}
}

// noSessions fails the test when sessions of loads stay in a database.
func noSessions(t *testing.T, pg *servers.PG, db string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		left := pg.Psql(t, "postgres", "SELECT string_agg(query, '; ') FROM pg_stat_activity WHERE application_name = 'breaking-backups' AND datname = "+server.Literal(db))
		if left == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("sessions are left: %s", left)
		}
	}
}

func TestOneFailureEndsAllWithOneError(t *testing.T) {
	pg := testServer(t)
	running := goleak.IgnoreCurrent()
	a, rowsA := rowsOf("public.a", 1000)
	rowsA = strings.Replace(rowsA, "\n999\n", "\n998\n", 1)
	b, rowsB := rowsOf("public.b", 400_000)
	var indexes strings.Builder
	for i := range 12 {
		fmt.Fprintf(&indexes, "CREATE %sINDEX i%d ON public.a USING btree (id);\n", map[bool]string{i == 5: "UNIQUE "}[true], i)
	}
	after := written(t, dump.Manifest{b, a}, threeTables+rowsB+rowsA+indexes.String())
	before := written(t, dump.Manifest{a, b}, threeTables+rowsA+indexes.String()+rowsB)
	slow := written(t, dump.Manifest{a}, threeTables+rowsA+during("CREATE INDEX", "IF pg_catalog.current_query() !~ 'UNIQUE' THEN PERFORM pg_catalog.pg_sleep(600); END IF;")+
		"CREATE INDEX j ON public.a USING btree (id);\nCREATE INDEX k ON public.b USING btree (id);\nCREATE UNIQUE INDEX i5 ON public.a USING btree (id);\n")
	for name, reader := range map[string]func() io.Reader{
		"among many":            func() io.Reader { return bytes.NewReader(after) },
		"while rows are loaded": func() io.Reader { return bytes.NewReader(before) },
		"while rows are waited for": func() io.Reader {
			return &stalled{Reader: bytes.NewReader(before[:len(before)/2]), closed: make(chan struct{})}
		},
		"while others never end": func() io.Reader { return bytes.NewReader(slow) },
	} {
		t.Run(name, func(t *testing.T) {
			db := newDB(t, pg)
			l, err := NewLoader(LoadConfig{Conn: pg.DSN(db), Jobs: 4, BuildApart: -1})
			if err != nil {
				t.Fatal(err)
			}
			err = l.Load(context.Background(), reader())
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range []string{"restore: line ", ": CREATE UNIQUE INDEX i5 ON public.a USING btree (id);: ", `could not create unique index "i5"`, "(id)=(998)", "holds a part of the dump"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			if n := strings.Count(err.Error(), "line "); n != 1 || strings.Contains(err.Error(), "cancel") {
				t.Errorf("error %q tells of more than one failure", err)
			}
			noSessions(t, pg, db)
			if err := goleak.Find(running); err != nil {
				t.Error(err)
			}
		})
	}
}

// stalled brings nothing more, and no end, until it is closed.
type stalled struct {
	*bytes.Reader
	closed chan struct{}
}

func (s *stalled) Read(p []byte) (int, error) {
	if s.Len() > 0 {
		return s.Reader.Read(p)
	}
	<-s.closed
	return 0, io.ErrClosedPipe
}

func (s *stalled) Close() error { close(s.closed); return nil }

func TestCancelledLoadLeavesNothingRunning(t *testing.T) {
	pg := testServer(t)
	running := goleak.IgnoreCurrent()
	stream := written(t, nil, threeTables+during("CREATE INDEX", "PERFORM pg_catalog.pg_sleep(600);")+
		"CREATE INDEX i ON public.a USING btree (id);\nCREATE INDEX j ON public.b USING btree (id);\nCREATE INDEX k ON public.c USING btree (id);\n")
	for _, jobs := range []int{1, 2} {
		db := newDB(t, pg)
		l, err := NewLoader(LoadConfig{Conn: pg.DSN(db), Jobs: jobs, BuildApart: -1})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		enough := errors.New("enough")
		asleep := &waitingReader{until: func() bool {
			return pg.Psql(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = "+server.Literal(db)) == fmt.Sprint(jobs)
		}}
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			asleep.Read(nil)
			cancel(enough)
		}()
		err = l.Load(ctx, bytes.NewReader(stream))
		<-stopped
		if !errors.Is(err, enough) || !strings.Contains(err.Error(), "holds a part of the dump") {
			t.Errorf("%d jobs: error %v, want the context's cause", jobs, err)
		}
		noSessions(t, pg, db)
		if err := goleak.Find(running); err != nil {
			t.Error(err)
		}
	}
}

// A role that may not have more connections still loads.
func TestLoadWithFewerConnections(t *testing.T) {
	pg := testServer(t)
	pg.Psql(t, "postgres", "CREATE ROLE lonely LOGIN PASSWORD 'x' CONNECTION LIMIT 1")
	t.Cleanup(func() { pg.Psql(t, "postgres", "DROP ROLE lonely") })
	db := newDB(t, pg)
	pg.Psql(t, "postgres", "ALTER DATABASE "+db+" OWNER TO lonely")
	a, rows := rowsOf("public.a", 1000)
	stream := written(t, dump.Manifest{a}, threeTables+rows+"CREATE INDEX i ON public.a USING btree (id);\nCREATE INDEX j ON public.b USING btree (id);\nCOMMENT ON INDEX public.j IS 'x';\n")
	var warnings []string
	l, err := NewLoader(LoadConfig{
		Conn: strings.Replace(pg.DSN(db), "postgres://postgres@", "postgres://lonely@", 1), Password: "x", Jobs: 4, BuildApart: -1,
		Warn: func(s string) { warnings = append(warnings, s) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Load(context.Background(), bytes.NewReader(stream)); err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "too many connections") {
		t.Errorf("warnings %q, want one of too many connections", warnings)
	}
	if got := pg.Psql(t, db, "SELECT count(*) FROM pg_index WHERE indrelid IN ('a'::regclass, 'b'::regclass) AND indisvalid"); got != "2" {
		t.Errorf("%s indexes", got)
	}
}

// A dump has a table's keys and indexes behind its rows, unless they are computed by what may read
// other tables.
func TestKeysFollowTheirRows(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE TABLE a (id integer PRIMARY KEY, body text);
		CREATE INDEX a_body ON a (body);
		CREATE TABLE b (id integer PRIMARY KEY, body text, sum bigint);
		INSERT INTO a VALUES (1, 'x');
		INSERT INTO b VALUES (1, 'x');
		CREATE EXTENSION pg_trgm;
		CREATE INDEX a_trgm ON a USING gin (body gin_trgm_ops);
		CREATE INDEX a_similar ON a (similarity(body, 'x'));
		CREATE INDEX a_lower ON a (lower(body) COLLATE "C") WHERE id < 5;
		CREATE FUNCTION looks_up(integer) RETURNS text STRICT IMMUTABLE LANGUAGE plpgsql AS
			'DECLARE found text; BEGIN SELECT b.body INTO STRICT found FROM public.b WHERE id = $1; RETURN found; END';
		CREATE INDEX a_looks_up ON a (looks_up(id));
		ALTER TABLE a ADD FOREIGN KEY (id) REFERENCES b NOT VALID`)
	stream := dumpDB(t, pg, db)
	at := -1
	for _, part := range []string{"COPY public.a ", "CONSTRAINT a_pkey", "INDEX a_body", "INDEX a_lower", "INDEX a_trgm", "COPY public.b ", "CONSTRAINT b_pkey", "INDEX a_looks_up", "INDEX a_similar", "FOREIGN KEY"} {
		i := bytes.LastIndex(stream, []byte(part))
		if i <= at {
			t.Errorf("%q is not where it should be:\n%s", part, stream)
		}
		at = i
	}
	restored := newDB(t, pg)
	if err := restore(t, pg, LoadConfig{Database: restored, Jobs: 3}, stream); err != nil {
		t.Fatal(err)
	}
	if again := dumpDB(t, pg, restored); !bytes.Equal(stream, again) {
		t.Errorf("a dump of the restored database differs:\n%s", cmp.Diff(string(stream), string(again)))
	}
}
