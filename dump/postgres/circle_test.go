package postgres

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Objects that need each other in circles come back whole.
func TestCircles(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	psqlLoad(t, pg, db, readFile(t, "testdata/circles.sql"))
	stream := dumpDB(t, pg, db)
	if bytes.Contains(stream, []byte("\n-- left out: ")) {
		t.Error("something is left out of the dump")
	}
	byPsql, natively := newDB(t, pg), newDB(t, pg)
	psqlLoad(t, pg, byPsql, stream)
	if err := restore(t, pg, LoadConfig{Database: natively, Jobs: 2}, stream); err != nil {
		t.Fatal(err)
	}
	// Where what a dump with drops makes is there already.
	if err := restore(t, pg, LoadConfig{Database: natively, Clean: true}, stream); err != nil {
		t.Fatal(err)
	}
	psqlLoad(t, pg, byPsql, dumpWith(t, Config{Conn: pg.DSN(db), Clean: true}))
	for how, restored := range map[string]string{"by psql": byPsql, "natively": natively} {
		if diff := cmp.Diff(strings.Split(string(stream), "\n"), strings.Split(string(dumpDB(t, pg, restored)), "\n")); diff != "" {
			t.Errorf("restored %s it is dumped otherwise (-original +restored):\n%s", how, diff)
		}
	}
	if version(t, pg) < 140000 {
		return
	}
	// Functions that are not whole would have been called for what is computed of the rows.
	if got := pg.Psql(t, natively, "SELECT (SELECT f FROM c.factored), (SELECT f FROM c.plain), c.ping(3), (SELECT n FROM c.stored)"); strings.TrimSpace(got) != "15|18|100|1" {
		t.Errorf("restored values: %s", got)
	}
}

// A circle that cannot be broken costs what is in it, and no more.
func TestCirclesWithoutAnOrder(t *testing.T) {
	pg := testServer(t)
	if version(t, pg) < 140000 {
		t.Skip("functions have no bodies that the server knows the needs of")
	}
	db, restored := newDB(t, pg), newDB(t, pg)
	pg.Psql(t, db, `
		-- A type with a column of the rows of a stored view, which calls a function of the type.
		CREATE TYPE pair AS (a integer);
		CREATE FUNCTION of_pair(pair) RETURNS integer LANGUAGE sql AS 'SELECT 1';
		CREATE MATERIALIZED VIEW of_pairs AS SELECT of_pair(ROW(1)) AS n;
		ALTER TYPE pair ADD ATTRIBUTE s of_pairs;
		-- A stored value of a function that reads what a key has to be there for: its stub would have computed the value.
		CREATE TABLE keyed (id integer PRIMARY KEY, n integer);
		CREATE MATERIALIZED VIEW grouped AS SELECT id, n, count(*) FROM keyed GROUP BY id;
		CREATE FUNCTION counted(integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN (SELECT count(*)::integer FROM grouped);
		CREATE TABLE counts (id integer, n integer GENERATED ALWAYS AS (counted(id)) STORED);
		INSERT INTO counts VALUES (1);
		CREATE TABLE rest (n integer PRIMARY KEY);
		INSERT INTO rest VALUES (1), (2)`)
	var warnings []string
	src, err := NewSource(Config{Conn: pg.DSN(db), Clean: true, Warn: func(s string) { warnings = append(warnings, s) }})
	if err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	if err := src.Dump(t.Context(), &stream); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`type public\.pair is left out: these need each other.*: type public\.pair, materialized view public\.of_pairs`,
		`function public\.counted\(integer\) is left out: these need each other.*: function public\.counted\(integer\), table public\.counts`,
		`rows of public\.counts is left out`,
	} {
		if !slices.ContainsFunc(warnings, regexp.MustCompile(want).MatchString) {
			t.Errorf("no warning %s in\n%s", want, strings.Join(warnings, "\n"))
		}
	}
	if bytes.Contains(stream.Bytes(), []byte("DROP TABLE IF EXISTS public.counts;")) {
		t.Error("a table that the dump does not make is dropped by it")
	}
	if err := restore(t, pg, LoadConfig{Database: restored}, stream.Bytes()); err != nil {
		t.Fatal(err)
	}
	if got := pg.Psql(t, restored, "SELECT count(*), to_regclass('grouped') FROM rest"); strings.TrimSpace(got) != "2|grouped" {
		t.Errorf("the rest: %s", got)
	}
}
