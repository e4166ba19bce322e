package postgres

import (
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Names in arrays of a type whose values are names are found as those are that stand alone.
func TestNamesInArrays(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE SCHEMA app; CREATE SEQUENCE app.one; CREATE SEQUENCE app."T'w,o"; CREATE TYPE app.mood AS ENUM ('x'); CREATE FUNCTION app.f(m app.mood) RETURNS integer LANGUAGE sql AS 'SELECT 1';
		CREATE TABLE app.docs (a integer, b regclass[] DEFAULT ARRAY['app.one'::regclass, 'app."T''w,o"'::regclass]::regclass[], c regprocedure[] DEFAULT '{app.f(app.mood)}'::regprocedure[],
		d regclass[] DEFAULT '{app.one,NULL,"app.\"T''w,o\""}')`)
	stream := dumpDB(t, pg, db)
	for _, to := range []string{"", "Rest.ored"} {
		into := newDB(t, pg)
		if err := restore(t, pg, LoadConfig{Database: into, ToSchema: to, Part: dump.Choice{Tables: []string{"app.docs"}}}, stream); err != nil {
			t.Errorf("into %q: %v", to, err)
			continue
		}
		schema, want := "app", `{app.one,NULL,"app.\"T'w,o\""} {app.f(app.mood)}`
		if to != "" {
			schema, want = `"Rest.ored"`, `{"\"Rest.ored\".one",NULL,"\"Rest.ored\".\"T'w,o\""} {"\"Rest.ored\".f(\"Rest.ored\".mood)"}`
		}
		if got := pg.Psql(t, into, "INSERT INTO "+schema+".docs VALUES (2) RETURNING d::text || ' ' || c::text"); got != want {
			t.Errorf("the defaults are %s, want %s", got, want)
		}
	}
}
