package postgres

import (
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// The schema public is in every database, and no dump makes it. A part leaves that of a database
// that holds something its owner and its privileges, and one that holds nothing gets the dump's.
func TestPartAndTheSchemaPublic(t *testing.T) {
	pg := testServer(t)
	db, into, empty := newDB(t, pg), newDB(t, pg), newDB(t, pg)
	newRole(t, pg, into, "keeps_public")
	pg.Psql(t, db, "ALTER SCHEMA public OWNER TO postgres; COMMENT ON SCHEMA public IS 'the dump''s'; GRANT ALL ON SCHEMA public TO PUBLIC; ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; CREATE TABLE t (a integer)")
	pg.Psql(t, into, "ALTER SCHEMA public OWNER TO keeps_public; REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE TABLE living (a integer)")
	const says = "SELECT nspowner::regrole || ' ' || coalesce(nspacl::text, '') || obj_description(oid, 'pg_namespace') || (SELECT count(*) FROM pg_default_acl) FROM pg_namespace WHERE nspname = 'public'"
	before := pg.Psql(t, into, says)
	choice := dump.Choice{ExcludeTables: []string{"app.none"}}
	stream := dumpDB(t, pg, db)
	for _, to := range []string{into, empty} {
		if err := restore(t, pg, LoadConfig{Database: to, Part: choice}, stream); err != nil {
			t.Fatal(err)
		}
	}
	if after := pg.Psql(t, into, says); after != before {
		t.Errorf("%s, want %s", after, before)
	}
	if got, want := pg.Psql(t, empty, says), pg.Psql(t, db, says); got != want {
		t.Errorf("an empty database got %s, want %s", got, want)
	}
}
