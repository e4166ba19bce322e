package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// extensionScript makes an extension as PostGIS's are: its tables' names sort the other way than
// their foreign keys lead, and of their rows those of users' tables are computed.
const extensionScript = `
	CREATE TABLE @extschema@.a_layer (id integer PRIMARY KEY, topology integer NOT NULL, parent integer REFERENCES @extschema@.a_layer);
	CREATE TABLE @extschema@.m_topology (id serial PRIMARY KEY, srid integer NOT NULL);
	CREATE TABLE @extschema@.z_reference (srid integer PRIMARY KEY, factor integer NOT NULL, own boolean NOT NULL DEFAULT true);
	ALTER TABLE @extschema@.a_layer ADD FOREIGN KEY (topology) REFERENCES @extschema@.m_topology;
	ALTER TABLE @extschema@.m_topology ADD FOREIGN KEY (srid) REFERENCES @extschema@.z_reference;
	INSERT INTO @extschema@.z_reference VALUES (1, 1, false);
	CREATE FUNCTION @extschema@.transformed(value integer, srid integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
		DECLARE f integer; BEGIN SELECT factor INTO STRICT f FROM @extschema@.z_reference r WHERE r.srid = transformed.srid; RETURN value * f; END $$;
	CREATE TABLE @extschema@.base (a integer NOT NULL CHECK (a > 0));
	SELECT pg_extension_config_dump('@extschema@.a_layer', '');
	SELECT pg_extension_config_dump('@extschema@.m_topology', '');
	SELECT pg_extension_config_dump('@extschema@.m_topology_id_seq', '');
	SELECT pg_extension_config_dump('@extschema@.z_reference', 'WHERE own');
`

// Rows that users have put into an extension's tables come after those that their foreign keys
// refer to, and before those of users' own tables.
func TestRowsOfExtensions(t *testing.T) {
	skipShort(t)
	majors := servers.PostgresVersions()
	if len(majors) == 0 || majors[len(majors)-1] < 18 {
		t.Skip("no server of this machine's takes extensions from any folder")
	}
	pg := servers.PostgresVersion(t, majors[len(majors)-1])
	dir := filepath.Join(pg.SocketDir, "extension") // which the server gets to, whoever it runs as
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"layers.control":  "default_version = '1'\nrelocatable = false\nschema = layers\n",
		"layers--1.sql":   extensionScript,
		"another.control": "default_version = '1'\nrelocatable = false\nschema = another\nrequires = layers\n",
		"another--1.sql": `CREATE TABLE @extschema@.a_reference (layer integer REFERENCES layers.a_layer, note text);
			SELECT pg_extension_config_dump('@extschema@.a_reference', '');`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pg.Psql(t, "postgres", "ALTER SYSTEM SET extension_control_path = "+server.Literal("$system:"+filepath.Dir(dir)))
	pg.Psql(t, "postgres", "SELECT pg_reload_conf()")

	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE EXTENSION another CASCADE;
		INSERT INTO layers.z_reference VALUES (7, 10);
		INSERT INTO layers.m_topology (srid) VALUES (7), (1);
		INSERT INTO layers.a_layer VALUES (1, 2, 2), (2, 1, NULL);
		INSERT INTO another.a_reference VALUES (1, 'one');
		CREATE TABLE "A_place" (at integer, srid integer, elsewhere integer GENERATED ALWAYS AS (layers.transformed(at, srid)) STORED);
		INSERT INTO "A_place" VALUES (5, 7);
		CREATE TABLE heir (own integer, up integer) INHERITS (layers.base);
		CREATE TABLE upper (up integer);
		ALTER TABLE heir INHERIT upper;
		INSERT INTO heir VALUES (1, 2, 3);`)
	want := "1,2,2;2,1,|1,7;2,1|1,1,f;7,10,t|1,one|50|(1,2,3)|3"
	state := func(db string) string {
		return strings.TrimSpace(pg.Psql(t, db, `SELECT (SELECT string_agg(concat_ws(',', id, topology, coalesce(parent::text, '')), ';' ORDER BY id) FROM layers.a_layer),
			(SELECT string_agg(concat_ws(',', id, srid), ';' ORDER BY id) FROM layers.m_topology),
			(SELECT string_agg(concat_ws(',', srid, factor, own), ';' ORDER BY srid) FROM layers.z_reference),
			(SELECT concat_ws(',', layer, note) FROM another.a_reference),
			(SELECT elsewhere FROM "A_place"), (SELECT h FROM heir h), nextval('layers.m_topology_id_seq')`))
	}
	if got := state(db); got != want {
		t.Fatalf("filled: %s, want %s", got, want)
	}
	pg.Psql(t, db, "SELECT setval('layers.m_topology_id_seq', 2)")
	stream := dumpDB(t, pg, db)
	byPsql, natively, rowsAlone := newDB(t, pg), newDB(t, pg), newDB(t, pg)
	psqlLoad(t, pg, byPsql, stream)
	if err := restore(t, pg, LoadConfig{Database: natively, Jobs: 2}, stream); err != nil {
		t.Fatal(err)
	}
	psqlLoad(t, pg, rowsAlone, dumpWith(t, Config{Conn: pg.DSN(db), Select: Selection{SchemaOnly: true}}))
	if err := restore(t, pg, LoadConfig{Database: rowsAlone}, dumpWith(t, Config{Conn: pg.DSN(db), Select: Selection{DataOnly: true}})); err != nil {
		t.Fatal(err)
	}
	for how, restored := range map[string]string{"by psql": byPsql, "natively": natively, "after the definitions": rowsAlone} {
		if got := state(restored); got != want {
			t.Errorf("restored %s: %s, want %s", how, got, want)
		}
	}
}

// What an extension's schema holds is dumped unless the extension brought that too.
func TestTablesInSchemasOfExtensions(t *testing.T) {
	pg := testServer(t)
	const schema = "CREATE SCHEMA brought; ALTER EXTENSION plpgsql ADD SCHEMA brought; CREATE TABLE brought.theirs (a integer); ALTER EXTENSION plpgsql ADD TABLE brought.theirs;"
	db, restored := newDB(t, pg), newDB(t, pg)
	pg.Psql(t, db, schema+"INSERT INTO brought.theirs VALUES (1); CREATE TABLE brought.own (a integer); INSERT INTO brought.own VALUES (2)")
	pg.Psql(t, restored, schema)
	psqlLoad(t, pg, restored, dumpDB(t, pg, db))
	if got := pg.Psql(t, restored, "SELECT (SELECT count(*) FROM brought.theirs), (SELECT sum(a) FROM brought.own)"); got != "0|2" {
		t.Errorf("restored: %s", got)
	}
}
