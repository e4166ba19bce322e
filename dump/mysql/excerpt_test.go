package mysql

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// The excerpt of one table, in a dump of several databases that have tables of the same name, is a
// whole dump, which a loader takes: of its rows, and of all databases' definitions.
func TestExcerptOfSeveral(t *testing.T) {
	my := testServer(t)
	one, two := my.CreateDB(t), my.CreateDB(t)
	for _, db := range []string{one, two} {
		my.Query(t, db, "CREATE TABLE `T.1 é` (a INT PRIMARY KEY, at TIMESTAMP NULL, KEY (at)); INSERT INTO `T.1 é` VALUES (1, '2026-01-01'), (2, NULL);"+
			"CREATE TABLE `none` (a INT); CREATE TABLE parted (a INT) PARTITION BY HASH (a) PARTITIONS 2; INSERT INTO parted VALUES (1), (2); CREATE VIEW v AS SELECT a FROM parted")
	}
	stream := my.dump(t, Config{Databases: []string{one, two}})
	contents, err := dump.ReadContents(bytes.NewReader(stream), int64(len(stream)))
	if err != nil {
		t.Fatal(err)
	}
	if len(contents.Tables) != 6 {
		t.Fatalf("the manifest has %v", contents.Tables)
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
		if err := my.loader(t, LoadConfig{}).Verify(bytes.NewReader(b.Bytes())); err != nil {
			t.Errorf("%s: %v", table.Name, err)
		}
		read := fmt.Sprint(dump.Table{Name: table.Name}) // of a table without rows there may be no item
		for item, err := range Items(&b) {
			if err != nil {
				t.Fatalf("%s: %v", table.Name, err)
			}
			if item.Kind == dump.Rows {
				tally, err := item.Tally()
				if err != nil {
					t.Fatal(err)
				}
				read = fmt.Sprint(tally.Of(item.Table))
			}
		}
		if want := fmt.Sprint(table); read != want {
			t.Errorf("%s: the excerpt has %s, want %s", table.Name, read, want)
		}
	}
}
