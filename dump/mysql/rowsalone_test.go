package mysql

import (
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Rows alone go into tables that may have rows, and the server looks whether it has them, on
// whatever number of connections.
func TestRowsAloneAreChecked(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db := my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE) ENGINE=InnoDB; INSERT INTO t VALUES (1, 1), (2, 2)")
	streams := map[string][]byte{"own": my.dump(t, Config{Databases: []string{db}}), "mysqldump": []byte(my.mysqldump(t, db))}
	my.Query(t, db, "CREATE TABLE seen (checked INT); CREATE TRIGGER look BEFORE INSERT ON t FOR EACH ROW INSERT INTO seen VALUES (@@unique_checks)")
	for name, stream := range streams {
		for _, jobs := range []int{1, 4} {
			my.Query(t, db, "DELETE FROM t; DELETE FROM seen")
			cfg := LoadConfig{Database: db, Jobs: jobs, Part: dump.Choice{DataOnly: true}}
			if err := my.load(t, cfg, stream); err != nil {
				t.Fatal(err)
			}
			if got := my.Query(t, db, "SELECT SUM(checked), COUNT(*) FROM seen"); got != "2\t2" {
				t.Errorf("%s, %d jobs: of the rows checked, and rows: %s", name, jobs, got)
			}
			my.Query(t, db, "DELETE FROM t; INSERT INTO t VALUES (3, 2)")
			if err := my.load(t, cfg, stream); !server.IsError(err, 1062) {
				t.Errorf("%s, %d jobs: a value that is there: %v", name, jobs, err)
			}
		}
	}
}
