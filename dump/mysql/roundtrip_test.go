package mysql

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLoadsMysqldump loads what mysqldump writes: natively it becomes the same
// database as by the client.
func TestLoadsMysqldump(t *testing.T) {
	my := testServer(t)
	for _, c := range my.cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			db := my.newDB(t)
			c.Fill(t, db)
			// What a restore of mysqldump's stumbles over.
			my.query(t, db, "DROP VIEW IF EXISTS m_third; DROP TABLE IF EXISTS breaks, numbered")
			script := []byte(my.mysqldump(t, db))
			byClient, natively := my.newDB(t), my.newDB(t)
			my.client(t, byClient, script)
			if err := my.load(t, LoadConfig{Database: natively}, script); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(my.mysqldump(t, byClient), "\n"), strings.Split(my.mysqldump(t, natively), "\n")); diff != "" {
				t.Errorf("loaded natively it is another database (-by client +natively):\n%s", diff)
			}
		})
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// dump returns our dump of a server's databases.
func (my *testMySQL) dump(t *testing.T, cfg Config) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := my.source(t, cfg).Dump(t.Context(), &buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// load loads a stream with cfg, whose server it sets.
func (my *testMySQL) load(t *testing.T, cfg LoadConfig, stream []byte) error {
	t.Helper()
	return my.loader(t, cfg).Load(t.Context(), bytes.NewReader(stream))
}
