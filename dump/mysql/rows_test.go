package mysql

import (
	"fmt"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// What the servers do not show of a FLOAT is in the dump all the same, and so is the sign of a
// zero.
func TestFloatsToTheLastBit(t *testing.T) {
	my := testServer(t)
	from, to := my.CreateDB(t), my.CreateDB(t)
	my.client(t, from, readFile(t, "testdata/database/types.sql"))
	if err := my.load(t, LoadConfig{Database: to}, my.dump(t, Config{Databases: []string{from}})); err != nil {
		t.Fatal(err)
	}
	const same = "CONCAT(CAST(a.%[1]s AS DOUBLE)) <=> CONCAT(CAST(b.%[1]s AS DOUBLE))"
	for _, column := range []string{"f", "g", "d", "e", "h"} {
		query := fmt.Sprintf("SELECT COUNT(*), SUM("+same+") FROM %[2]s.numbers a JOIN %[3]s.numbers b USING (id)", column, quote.Name(from), quote.Name(to))
		if got := my.Query(t, "", query); got != "8\t8" {
			t.Errorf("column %s: rows and equal ones are %s", column, got)
		}
	}
	if got := my.Query(t, to, "SELECT CONCAT(CAST(f AS DOUBLE)) FROM numbers WHERE id IN (1, 6) ORDER BY id"); got != "3.4028234663852886e38\n123456.7890625" {
		t.Errorf("floats %s", got)
	}
}
