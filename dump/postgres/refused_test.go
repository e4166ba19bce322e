package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// goOn loads what is refused in part and returns each refusal, as "line: what (rows of table)".
func goOn(t *testing.T, pg *servers.PG, cfg LoadConfig, stream []byte) (told []string, refusals []dump.Refusal, err error) {
	t.Helper()
	cfg.Refused = func(r dump.Refusal) {
		text := fmt.Sprintf("%d: %s", r.Line, r.What)
		if r.Table != "" {
			text += fmt.Sprintf(" (%d of %s)", r.Rows, r.Table)
		}
		told, refusals = append(told, text), append(refusals, r)
	}
	err = restore(t, pg, cfg, stream)
	return told, refusals, err
}

const refusing = `CREATE TABLE public."P.arent" (id integer);
CREATE TABLE public.child (id integer, parent integer);
CREATE EXTENSION IF NOT EXISTS nowhere_to_be_found WITH SCHEMA public;
COMMENT ON EXTENSION nowhere_to_be_found IS 'x';
ALTER TABLE public.child OWNER TO nobody_at_all;
CREATE TABLE public.strange (id public.strange_type);
SET default_tablespace = not_there;
CREATE TABLE public.checked (id integer, CONSTRAINT positive CHECK ((id > 0)));
SET default_tablespace = '';
COPY public."P.arent" (id) FROM stdin;
1
1
2
\.
CREATE UNIQUE INDEX once ON public."P.arent" USING btree (id);
COPY public.child (id, parent) FROM stdin;
1	1
2	7
\.
COPY public.strange (id) FROM stdin;
a
b
c
\.
COPY public.checked (id) FROM stdin;
1
0
2
\.
ALTER TABLE ONLY public.child
    ADD CONSTRAINT child_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.child
    ADD CONSTRAINT to_parent FOREIGN KEY (parent) REFERENCES public."P.arent"(id);
GRANT SELECT ON TABLE public.child TO nobody_at_all;
COMMENT ON TABLE public.child IS 'the last';
`

// What the server refuses is told with its line, its object and the server's words, and the load
// goes on to the end: all else is there, and the tables whose rows are not are named.
func TestLoadGoesOn(t *testing.T) {
	pg := testServer(t)
	manifest := dump.Manifest{
		tableOf(`public."P.arent"`, "1", "1", "2"), tableOf("public.child", "1\t1", "2\t7"),
		tableOf("public.strange", "a", "b", "c"), tableOf("public.checked", "1", "0", "2"),
	}
	stream := written(t, manifest, refusing)
	for _, jobs := range []int{1, 3} {
		for _, apart := range []int64{0, -1} {
			t.Run(fmt.Sprintf("%d jobs, built apart from %d", jobs, apart), func(t *testing.T) {
				db := newDB(t, pg)
				told, refusals, err := goOn(t, pg, LoadConfig{Database: db, Jobs: jobs, BuildApart: apart}, stream)
				incomplete, partial := new(dump.IncompleteError), new(dump.PartialError)
				if !errors.As(err, &incomplete) || !errors.As(err, &partial) || partial.Left != dump.AllElse {
					t.Fatalf("error %v, want one that says that it is incomplete", err)
				}
				want := "restore: 10 of 18 statements failed; rows are missing of public.strange (3), public.checked (3); all else of the dump is there"
				if err.Error() != want {
					t.Errorf("error\n%v, want\n%s", err, want)
				}
				wantTold := []string{
					"4: extension nowhere_to_be_found", "5: COMMENT ON EXTENSION nowhere_to_be_found IS 'x';", "6: ALTER TABLE public.child OWNER TO nobody_at_all;",
					"7: table public.strange", "8: SET default_tablespace = not_there;", "16: index once of table public.\"P.arent\"",
					"21: the rows of table public.strange (3 of public.strange)", "26: the rows of table public.checked (3 of public.checked)",
					`33: foreign key to_parent of table public.child`, "35: GRANT SELECT ON TABLE public.child TO nobody_at_all;",
				}
				slices.Sort(told)
				slices.Sort(wantTold)
				if diff := cmp.Diff(wantTold, told); diff != "" {
					t.Errorf("told (-want +got):\n%s", diff)
				}
				for _, r := range refusals {
					if r.What == "index once of table public.\"P.arent\"" && !strings.Contains(r.Err.Error(), "Key (id)=(1) is duplicated") {
						t.Errorf("%s: %v, want the server's words", r.What, r.Err)
					}
				}
				for sql, want := range map[string]string{
					`SELECT count(*) FROM public."P.arent"`:            "3",
					"SELECT string_agg(parent::text, ' ') FROM child":  "1 7",
					"SELECT count(*) FROM checked":                     "0",
					"SELECT obj_description('public.child'::regclass)": "the last",
					"SELECT string_agg(conname, ' ') FROM pg_constraint WHERE conrelid = 'public.child'::regclass AND contype = 'p'": "child_pkey",
				} {
					if got := pg.Psql(t, db, sql); got != want {
						t.Errorf("%s: %q, want %q", sql, got, want)
					}
				}
			})
		}
	}
}

// The rows of a table that is refused are read to their end and counted, however many there are,
// none of them is there, and all other tables are compared as ever.
func TestRowsAreAllThereOrNone(t *testing.T) {
	pg := testServer(t)
	const n = 1_000_000
	a, rowsA := rowsOf("public.a", n)
	b, rowsB := rowsOf("public.b", n)
	c, rowsC := rowsOf("public.c", 10)
	rowsA = strings.Replace(rowsA, "\n900000\n", "\nninehundred\n", 1) // when others have gone
	rowsB = strings.Replace(rowsB, "\n0\n", "\nzero\n", 1)
	sql := threeTables + "-- rows in the order of their key\n" + rowsA + "-- rows in the order of their key\n" + rowsB + rowsC
	db := newDB(t, pg)
	told, _, err := goOn(t, pg, LoadConfig{Database: db, Jobs: 4}, written(t, dump.Manifest{a, b, c}, sql))
	if want := fmt.Sprintf("restore: 2 of 6 statements failed; rows are missing of public.a (%d), public.b (%[1]d); ", n); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
	want := []string{fmt.Sprintf("4: the rows of table public.a (%d of public.a)", n), fmt.Sprintf("%d: the rows of table public.b (%d of public.b)", n+7, n)}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if got := pg.Psql(t, db, "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM c)"); got != "0|0|10" {
		t.Errorf("there are %s rows, want 0|0|10", got)
	}
	c.Hash++
	if _, _, err := goOn(t, pg, LoadConfig{Database: newDB(t, pg)}, written(t, dump.Manifest{a, b, c}, sql)); err == nil || !strings.Contains(err.Error(), "table public.c has other rows") || !strings.HasSuffix(err.Error(), dump.HoldsPart) {
		t.Errorf("error %v, want one that says that c has other rows", err)
	}
}

// Ten thousand refusals are all told, and the error is as short as of one.
func TestManyRefusals(t *testing.T) {
	pg := testServer(t)
	const n = 10_000
	var sql strings.Builder
	sql.WriteString("CREATE TABLE public.t (a integer);\n")
	for range n {
		sql.WriteString("ALTER TABLE public.t OWNER TO nobody_at_all;\n")
	}
	told, _, err := goOn(t, pg, LoadConfig{Database: newDB(t, pg)}, written(t, nil, sql.String()))
	if err == nil || err.Error() != fmt.Sprintf("restore: %d of %d statements failed; all else of the dump is there", n, n+1) {
		t.Errorf("error %v", err)
	}
	if len(told) != n || told[n-1] != fmt.Sprintf("%d: ALTER TABLE public.t OWNER TO nobody_at_all;", n+2) {
		t.Errorf("told of %d refusals, the last %s", len(told), told[len(told)-1])
	}
}

// A load does not go on where what comes behind a statement would mean something else without it.
func TestLoadDoesNotGoOn(t *testing.T) {
	pg := testServer(t)
	for sql, want := range map[string]string{
		"CREATE TABLE public.t (a integer);\nSET client_min_messages = nothing;\nCREATE TABLE public.u (a integer);\n": "line 3: SET client_min_messages = nothing;: ",
		"SELECT pg_catalog.set_config('search_path', E'\\xff', false);\n":                                              "line 2: SELECT pg_catalog.set_config",
		"BEGIN;\nCREATE TABLE public.t (a integer);\nCREATE TABLE public.t (a integer);\nCOMMIT;\n":                    `line 4: CREATE TABLE public.t (a integer);: ERROR: relation "t" already exists`,
		"SET ROLE nobody_at_all;\n": "line 2: SET ROLE nobody_at_all;: ",
	} {
		told, _, err := goOn(t, pg, LoadConfig{Database: newDB(t, pg)}, written(t, nil, sql))
		if err == nil || !strings.Contains(err.Error(), want) || errors.As(err, new(*dump.IncompleteError)) || len(told) > 0 {
			t.Errorf("%s\nerror %v after %q, want %s", sql, err, told, want)
		}
	}
}

// What the role of a privilege's grantor would grant is granted by the role that loads, and the
// refusal of a view's rows is one as any other.
func TestLoadGoesOnBehindGrantorsAndViews(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	a, rows := rowsOf("public.a", 1)
	sql := threeTables + rows + `CREATE MATERIALIZED VIEW public.quotients AS SELECT (1 / a.id) AS q FROM public.a WITH NO DATA;
SET SESSION AUTHORIZATION nobody_at_all;
GRANT SELECT ON TABLE public.a TO PUBLIC;
RESET SESSION AUTHORIZATION;
REFRESH MATERIALIZED VIEW public.quotients;
`
	told, _, err := goOn(t, pg, LoadConfig{Database: db, Jobs: 2}, written(t, dump.Manifest{a}, sql))
	if want := []string{"7: SET SESSION AUTHORIZATION nobody_at_all;", "10: the rows of materialized view public.quotients"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if err == nil || !strings.HasPrefix(err.Error(), "restore: 2 of 9 statements failed; all else") {
		t.Errorf("error %v", err)
	}
	if got := pg.Psql(t, db, "SELECT relacl FROM pg_class WHERE relname = 'a'"); !strings.Contains(got, "=r/postgres") {
		t.Errorf("privileges %s, want those of all to read", got)
	}
}

// A database that the server does not make is passed over, with all that the dump has for it, and
// the next one is loaded.
func TestLoadGoesOnBehindADatabase(t *testing.T) {
	pg := testServer(t)
	var b bytes.Buffer
	w := dump.NewWriter(&b, script.Cluster)
	one, rowsOne := rowsOf("never.public.a", 3)
	two, rowsTwo := rowsOf("refused_two.public.a", 2)
	database := func(name, with, rows string) string {
		return "CREATE DATABASE " + name + " WITH TEMPLATE = template0" + with + ";\n" + script.ConnectCommand(name) + "\nCREATE TABLE public.a (id integer);\n" + rows
	}
	fmt.Fprint(w, script.DatabaseLine("never"), script.DatabaseLine("refused_two"),
		database("never", " ENCODING = 'no such encoding'", strings.Replace(rowsOne, "never.", "", 1)), database("refused_two", "", strings.Replace(rowsTwo, "refused_two.", "", 1)))
	if err := w.End(dump.Manifest{one, two}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pg.Psql(t, "postgres", "DROP DATABASE IF EXISTS refused_two") })
	told, _, err := goOn(t, pg, LoadConfig{}, b.Bytes())
	want := []string{"4: database never", "5: all of database never", "7: the rows of table public.a (3 of never.public.a)"}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if err == nil || !strings.HasPrefix(err.Error(), "restore: 4 of 7 statements failed; rows are missing of never.public.a (3); all else") {
		t.Errorf("error %v", err)
	}
	if got := pg.Psql(t, "refused_two", "SELECT count(*) FROM a"); got != "2" {
		t.Errorf("the second database has %s rows", got)
	}
}

func loadWith(t *testing.T, cfg LoadConfig, stream []byte) error {
	t.Helper()
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l.Load(t.Context(), bytes.NewReader(stream))
}

// An error that something is not there says whether that is a role, of each statement that may name
// one.
func TestIsNoRole(t *testing.T) {
	pg := testServer(t)
	for sql, want := range map[string]bool{
		"CREATE SCHEMA s; ALTER SCHEMA s OWNER TO nobody_at_all;":                           true,
		"GRANT CREATE ON SCHEMA public TO nobody_at_all;":                                   true,
		"REVOKE CREATE ON SCHEMA public FROM nobody_at_all;":                                true,
		"ALTER DEFAULT PRIVILEGES FOR ROLE nobody_at_all GRANT SELECT ON TABLES TO PUBLIC;": true,
		"CREATE TABLE public.t (a integer); CREATE POLICY p ON public.t TO nobody_at_all;":  true,
		"ALTER ROLE nobody_at_all LOGIN;":                                                   true,
		"CREATE TABLE public.t (a public.role);":                                            false,
		"CREATE TABLE public.t (a integer) USING nobody_at_all;":                            false,
		"CREATE TABLE public.t (a text COLLATE public.role);":                               false,
		"CREATE FUNCTION public.f() RETURNS integer LANGUAGE role AS '';":                   false,
		"CREATE TABLE public.t (a text); CREATE INDEX ON public.t (a public.role);":         false,
		"CREATE TABLE public.t (a integer) TABLESPACE role;":                                false,
		"CREATE SERVER s FOREIGN DATA WRAPPER role;":                                        false,
	} {
		err := restore(t, pg, LoadConfig{Database: newDB(t, pg)}, written(t, nil, strings.ReplaceAll(sql, "; ", ";\n")+"\n"))
		var pe *pgconn.PgError
		if !errors.As(err, &pe) || pe.Code != "42704" || IsNoRole(err) != want {
			t.Errorf("%s: %v, by %s of %s: %v, want %v", sql, err, pe.Routine, pe.File, IsNoRole(err), want)
		}
	}
}
