package postgres

import (
	"errors"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Rows of tables of several schemas do not go into one, and above all not into the tables that they
// are of. A dump of rows alone says only as it goes on what tables it has.
func TestToSchemaOfRowsAlone(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t AS SELECT 1 AS n; CREATE TABLE b.t AS SELECT 2 AS n; CREATE SCHEMA restored; CREATE TABLE restored.t (n integer)")
	stream := dumpWith(t, Config{Conn: pg.DSN(db), Select: Selection{DataOnly: true, Tables: []string{"a.t", "b.t"}}})
	for _, to := range []string{"restored", "a"} {
		err := restore(t, pg, LoadConfig{Database: db, ToSchema: to, Part: dump.Choice{Tables: []string{"*.t"}}}, stream)
		if !errors.Is(err, ErrSchemas) {
			t.Errorf("to %s: %v, want %v", to, err, ErrSchemas)
		}
		if got := strings.TrimSpace(pg.Psql(t, db, "SELECT count(*) FROM b.t")); got != "1" {
			t.Errorf("to %s: b.t has %s rows", to, got)
		}
	}
	if err := restore(t, pg, LoadConfig{Database: db, ToSchema: "restored", Part: dump.Choice{Tables: []string{"b.t"}}}, stream); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(pg.Psql(t, db, "SELECT count(*) FROM restored.t WHERE n = 2")); got != "1" {
		t.Errorf("restored.t has %s rows of b.t", got)
	}
}
