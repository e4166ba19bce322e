package mysql

import (
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A list that the server breaks off is an error, and not what came of it.
func TestListsBrokenOff(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1), (2000)")
	c, err := my.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	query := "SELECT EXP(a) FROM " + quote.Name(db) + ".t ORDER BY a"
	if _, err := c.List(t.Context(), query); !server.IsError(err, 1690) {
		t.Errorf("list: %v, want the server's 1690", err)
	}
	if _, err := c.Firsts(t.Context(), query); !server.IsError(err, 1690) {
		t.Errorf("firsts: %v, want the server's 1690", err)
	}
}
