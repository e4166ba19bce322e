package postgres

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A child of parents that got columns after it was made comes back with its columns in their
// places, and with what is its own and what is inherited as it was. (What such children may be more
// is in testdata/database/objects.sql.)
func TestOrderOfColumns(t *testing.T) {
	pg := testServer(t)
	db, restored := newDB(t, pg), newDB(t, pg)
	pg.Psql(t, db, `
		CREATE TABLE parent (a integer NOT NULL, CHECK (a > 0));
		CREATE TABLE child (own integer NOT NULL CHECK (own < 9), a integer) INHERITS (parent);
		CREATE TABLE other (o integer);
		ALTER TABLE parent ADD COLUMN b integer DEFAULT 4, ADD COLUMN g integer GENERATED ALWAYS AS (a * 2) STORED, ADD CHECK (b > 1);
		ALTER TABLE child ADD COLUMN o integer;
		ALTER TABLE child INHERIT other;
		CREATE TABLE in_order (own integer) INHERITS (parent);
		CREATE TABLE holder (x child);
		INSERT INTO child VALUES (1, 2, 3);
		INSERT INTO holder SELECT c FROM child c;`)
	stream := dumpDB(t, pg, db)
	if n := strings.Count(string(stream), "DROP TABLE "); n != 1 {
		t.Errorf("%d moulds, want 1 for the one table that needs it", n)
	}
	if err := restore(t, pg, LoadConfig{Database: restored, Jobs: 2}, stream); err != nil {
		t.Fatal(err)
	}
	for what, sql := range map[string]string{
		"columns": `SELECT attrelid::regclass, attname, attnotnull, attislocal, attinhcount, attgenerated, pg_get_expr(adbin, adrelid)
			FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
			WHERE attrelid IN ('parent'::regclass, 'child'::regclass, 'in_order'::regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid::regclass::text, attnum`,
		"constraints": `SELECT conrelid::regclass, conname, conislocal, coninhcount, convalidated, pg_get_constraintdef(oid) FROM pg_constraint
			WHERE connamespace = 'public'::regnamespace ORDER BY conrelid::regclass::text, conname`,
		"parents":       `SELECT inhrelid::regclass, inhparent::regclass FROM pg_inherits ORDER BY inhrelid::regclass::text, inhseqno`,
		"stored values": `SELECT x, (x).own, (x).a, (x).b, (x).g FROM holder`,
		"relations":     `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname`,
	} {
		if diff := cmp.Diff(pg.Psql(t, db, sql), pg.Psql(t, restored, sql)); diff != "" {
			t.Errorf("%s (-original +restored):\n%s", what, diff)
		}
	}
}
