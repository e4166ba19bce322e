package mysql

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLoadsMysqldump loads what mysqldump writes: natively it becomes the same database as by the
// client.
func TestLoadsMysqldump(t *testing.T) {
	my := testServer(t)
	for _, c := range my.cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			db := my.CreateDB(t)
			c.Fill(t, db)
			// What a restore of mysqldump's stumbles over, or makes another of each time.
			my.Query(t, db, "DROP VIEW IF EXISTS m_third; DROP TABLE IF EXISTS breaks, numbered, with_period")
			script := []byte(my.mysqldump(t, db))
			byClient, natively := my.CreateDB(t), my.CreateDB(t)
			my.client(t, byClient, script)
			loader := my.loader(t, LoadConfig{Database: natively})
			if err := loader.Verify(bytes.NewReader(script)); err != nil {
				t.Fatal(err)
			}
			if err := loader.Load(t.Context(), bytes.NewReader(script)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lines(my.mysqldump(t, byClient)), lines(my.mysqldump(t, natively))); diff != "" {
				t.Errorf("loaded natively it is another database (-by client +natively):\n%s", diff)
			}
		})
	}
}
