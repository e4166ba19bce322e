package postgres

import (
	"bytes"
	"strings"
	"testing"
)

// What is not known, or where no dump looks, is named once.
func TestUnknownKindsAreNamed(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `SET allow_system_table_mods = on; CREATE TABLE pg_catalog.hidden_here (a integer); CREATE FUNCTION information_schema.also() RETURNS integer LANGUAGE sql AS 'SELECT 1';
		CREATE TABLE t (a integer); CREATE TEMP TABLE of_a_session (a integer); UPDATE pg_rewrite SET ev_enabled = 'X' WHERE oid = (SELECT min(oid) FROM pg_rewrite)`)
	var warnings []string
	src := newSource(t, Config{Conn: pg.DSN(db), Warn: func(s string) { warnings = append(warnings, s) }})
	if err := src.Dump(t.Context(), &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	told := strings.Join(warnings, "\n")
	for _, what := range []string{"pg_rewrite.ev_enabled X", "table pg_catalog.hidden_here", "function information_schema.also()"} {
		if strings.Count(told, what) != 1 {
			t.Errorf("warned of\n%s\nwant %s once", told, what)
		}
	}
	if len(warnings) != 3 {
		t.Errorf("%d warnings:\n%s", len(warnings), told)
	}
}
