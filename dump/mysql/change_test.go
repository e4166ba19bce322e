package mysql

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
)

// A table that is altered, emptied, replaced or dropped between the moment of a dump and the
// reading of its rows makes the dump fail, in a way that the next dump need not.
func TestTablesThatChangeDuringTheDump(t *testing.T) {
	my := testServer(t)
	for name, change := range map[string]string{
		"altered":   "ALTER TABLE z ADD COLUMN c INT DEFAULT 5",
		"emptied":   "TRUNCATE TABLE z",
		"replaced":  "RENAME TABLE z TO z_old, zz TO z",
		"dropped":   "DROP TABLE z",
		"made anew": "DROP TABLE z; CREATE TABLE z (a INT PRIMARY KEY, b INT)",
	} {
		t.Run(name, func(t *testing.T) {
			db := my.CreateDB(t)
			// The rows of the first table are more than is read ahead.
			my.Query(t, db, `CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, b LONGBLOB);
				INSERT INTO a (b) VALUES (REPEAT('x', 2000000)); INSERT INTO a (b) SELECT b FROM a; INSERT INTO a (b) SELECT b FROM a; INSERT INTO a (b) SELECT b FROM a;
				CREATE TABLE z (a INT PRIMARY KEY, b INT); DO SLEEP(1.1); CREATE TABLE zz LIKE z; INSERT INTO z VALUES (1, 1); DO SLEEP(1.1)`)
			w := &changingWriter{change: func() { my.Query(t, db, change) }}
			err := my.source(t, Config{Databases: []string{db}, Jobs: 1}).Dump(t.Context(), w)
			if w.change != nil {
				t.Fatal("the dump was over before the change")
			}
			if !errors.Is(err, catalog.ErrChanged) || !strings.Contains(err.Error(), db+".z") {
				t.Errorf("error %v, want %v", err, catalog.ErrChanged)
			}
			if !errors.As(err, new(*dump.PassingError)) {
				t.Errorf("error %v: it is not tried once more", err)
			}
		})
	}
}

// A changingWriter changes something when the first bytes come.
type changingWriter struct{ change func() }

func (w *changingWriter) Write(p []byte) (int, error) {
	if w.change != nil {
		w.change()
		w.change = nil
	}
	return len(p), nil
}

// A view whose table is gone is a warning and a comment, for the client as well.
func TestInvalidViews(t *testing.T) {
	my := testServer(t)
	db, byClient, natively := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE going (a INT); CREATE TABLE stays (a INT); CREATE VIEW broken AS SELECT a, 'x;\n\\\\! echo' AS b FROM going; CREATE VIEW on_broken AS SELECT a FROM broken; CREATE VIEW whole AS SELECT a FROM stays; DROP TABLE going")
	var warnings []string
	stream := my.dump(t, Config{Databases: []string{db}, Warn: func(text string) { warnings = append(warnings, text) }})
	if len(warnings) != 2 || !strings.Contains(warnings[0], db+".broken") || !strings.Contains(warnings[1], db+".on_broken") {
		t.Errorf("warnings %q, want one of each broken view", warnings)
	}
	for _, view := range []string{"broken", "on_broken"} {
		if !bytes.Contains(stream, []byte("\n-- view \""+view+"\" is invalid: ")) {
			t.Errorf("there is no comment on %s", view)
		}
	}
	my.client(t, byClient, stream)
	if err := my.load(t, LoadConfig{Database: natively}, stream); err != nil {
		t.Fatal(err)
	}
	for _, restored := range []string{byClient, natively} {
		if got := my.Query(t, restored, "SHOW TABLES"); got != "stays\nwhole" {
			t.Errorf("restored: %q", got)
		}
	}
}
