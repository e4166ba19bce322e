package postgres

import (
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// What a function's body names without its schema comes along where the function itself says in
// which schemas that is looked for.
func TestBareNamesInBodies(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE SCHEMA app; CREATE SCHEMA "Ot.her"; CREATE SCHEMA third; CREATE SEQUENCE app.counter; CREATE TYPE "Ot.her".pair AS (a integer);
		CREATE FUNCTION "Ot.her"."Dou ble"(i integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT i * 2';
		CREATE FUNCTION app.unquote(i integer) RETURNS integer LANGUAGE sql IMMUTABLE SET search_path = "Ot.her", pg_catalog AS 'SELECT "Dou ble"(i) + 0 * (ROW(1)::pair).a';
		CREATE FUNCTION third.doubled(i integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE SET search_path = app AS $$ DECLARE r integer; BEGIN EXECUTE 'SELECT Unquote($1)' INTO r USING i; RETURN r; END $$;
		CREATE FUNCTION app.next() RETURNS bigint LANGUAGE sql SET search_path TO 'app' AS $$ SELECT nextval('counter') $$;
		CREATE FUNCTION app.unused() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE TABLE app.unused_too (a integer);
		CREATE TABLE app.docs (a integer, b bigint DEFAULT app.next()); CREATE INDEX ON app.docs (third.doubled(a)); INSERT INTO app.docs VALUES (1)`)
	into := newDB(t, pg)
	if err := restore(t, pg, LoadConfig{Database: into, Part: dump.Choice{Tables: []string{"app.docs"}}}, dumpDB(t, pg, db)); err != nil {
		t.Fatal(err)
	}
	if got := pg.Psql(t, into, "INSERT INTO app.docs VALUES (2) RETURNING b"); !strings.HasPrefix(got, "2") {
		t.Errorf("the default is %q", got)
	}
	if got := pg.Psql(t, into, "SELECT coalesce(to_regproc('app.unused')::text, to_regclass('app.unused_too')::text, '')"); got != "" {
		t.Errorf("%s has come along", got)
	}
}
