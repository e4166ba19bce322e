package postgres

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// The copy of a drill acts on nothing: it has no user mappings, so that a materialized view over a
// foreign table reaches no other server, no subscriptions and no event triggers. Without Drill the
// server is reached.
func TestDrillActsOnNothing(t *testing.T) {
	pg := testServer(t)
	far, db := newDB(t, pg), newDB(t, pg)
	pg.Psql(t, far, `CREATE TABLE seen (at timestamptz); CREATE FUNCTION saw() RETURNS int LANGUAGE sql AS 'INSERT INTO public.seen VALUES (now()) RETURNING 1';
		CREATE VIEW watched AS SELECT saw() AS n`)
	at := map[string]string{}
	for _, variable := range pg.Env(far) {
		name, value, _ := strings.Cut(variable, "=")
		at[name] = value
	}
	pg.Psql(t, db, `CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '`+at["PGHOST"]+`', port '`+at["PGPORT"]+`', dbname '`+far+`');
		CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user '`+at["PGUSER"]+`', password '`+at["PGPASSWORD"]+`', password_required 'false');
		CREATE FOREIGN TABLE watched (n int) SERVER far; CREATE MATERIALIZED VIEW filled AS SELECT n FROM watched;
		CREATE TABLE t (a int); INSERT INTO t VALUES (1);
		CREATE FUNCTION nothing() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER silent ON ddl_command_end EXECUTE FUNCTION nothing();
		CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false); COMMENT ON SUBSCRIPTION s IS 'x'`)
	defer pg.Psql(t, db, "ALTER SUBSCRIPTION s DISABLE; ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s")
	stream := dumpDB(t, pg, db)
	for _, drill := range []bool{true, false} {
		before := pg.Psql(t, far, "SELECT count(*) FROM seen")
		copied := newDB(t, pg)
		var warnings []string
		l, err := NewLoader(LoadConfig{Conn: pg.DSN(copied), Jobs: 1, Drill: drill, Warn: func(text string) { warnings = append(warnings, text) }})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Load(t.Context(), bytes.NewReader(stream)); err != nil {
			t.Fatalf("drill %t: %v", drill, err)
		}
		reached := pg.Psql(t, far, "SELECT count(*) FROM seen") != before
		left := pg.Psql(t, copied, "SELECT (SELECT count(*) FROM pg_event_trigger) + (SELECT count(*) FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()))")
		if !drill {
			if !reached || left != "2" {
				t.Errorf("no drill: reached %t, %s event triggers and subscriptions, so that the test says nothing", reached, left)
			}
			pg.Psql(t, copied, "ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s")
			continue
		}
		if reached || left != "0" || pg.Psql(t, copied, "SELECT count(*) FROM t") != "1" {
			t.Errorf("a drill: reached %t, %s event triggers and subscriptions", reached, left)
		}
		for _, what := range []string{"user mapping", "subscription", "event trigger", "materialized view"} {
			if !slices.ContainsFunc(warnings, func(text string) bool { return strings.Contains(strings.ToLower(text), what) }) {
				t.Errorf("nothing is said of the %s: %q", what, warnings)
			}
		}
	}
}
