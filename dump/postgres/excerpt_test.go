package postgres

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// The excerpt of one table, in a dump of several databases that have tables of the same name, is a
// whole dump, which a loader takes: of its rows, and of all databases' definitions.
func TestExcerptOfSeveral(t *testing.T) {
	pg := testServer(t)
	one, two := pg.CreateDB(t), pg.CreateDB(t)
	for _, db := range []string{one, two} {
		pg.Psql(t, db, `CREATE SCHEMA "S.""é"; CREATE TABLE "S.""é"."T.1" AS SELECT current_database() AS db; CREATE TABLE nothing ();
			CREATE TABLE whole (l text) PARTITION BY LIST (l); CREATE TABLE leaf PARTITION OF whole FOR VALUES IN ('x'); INSERT INTO whole VALUES ('x'), ('x');
			CREATE INDEX ON leaf (l); SELECT lo_from_bytea(0, 'large')`)
	}
	stream := dumpWith(t, Config{Conn: pg.DSN(one), Databases: []string{one, two}})
	contents, err := dump.ReadContents(bytes.NewReader(stream), int64(len(stream)))
	if err != nil {
		t.Fatal(err)
	}
	if len(contents.Tables) != 6 {
		t.Fatalf("the manifest has %v", contents.Tables)
	}
	l, err := NewLoader(LoadConfig{Conn: pg.DSN("postgres")})
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range contents.Tables {
		e, err := contents.Excerpt(func(p dump.Part) bool { return p.Kind != dump.Rows || p.Name == table.Name })
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := e.Write(t.Context(), &b, dump.SpansOf(bytes.NewReader(stream))); err != nil {
			t.Fatal(err)
		}
		if err := l.Verify(bytes.NewReader(b.Bytes())); err != nil {
			t.Errorf("%s: %v", table.Name, err)
		}
		var read string
		for item, err := range Items(&b) {
			if err != nil {
				t.Fatalf("%s: %v", table.Name, err)
			}
			if item.Kind == dump.Rows {
				tally, err := item.Tally()
				if err != nil {
					t.Fatal(err)
				}
				read += fmt.Sprint(tally.Of(table.Name))
				if !strings.Contains(table.Name, item.Database) {
					t.Errorf("rows of %s come where those of %s should", item.Database, table.Name)
				}
			}
		}
		if want := fmt.Sprint(table); read != want {
			t.Errorf("%s: the excerpt has %s, want %s", table.Name, read, want)
		}
	}
}
