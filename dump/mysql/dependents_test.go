package mysql

import (
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Tables that stay and refer to one that is dropped are named.
func TestWhatRefersToPart(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE parent (id INT PRIMARY KEY); CREATE TABLE kid (p INT, FOREIGN KEY (p) REFERENCES parent (id)); CREATE TABLE both_of (p INT, FOREIGN KEY (p) REFERENCES parent (id))")
	stream := my.dump(t, Config{Databases: []string{db}})
	my.Query(t, db, "INSERT INTO parent VALUES (3); INSERT INTO kid VALUES (3)")
	warn, told := warned()
	if _, _, err := my.loadInto(t, LoadConfig{Database: db, Clean: true, Warn: warn, Part: dump.Choice{Tables: []string{"parent", "both_of"}}}, stream); err != nil {
		t.Fatal(err)
	}
	if got := told(); !strings.Contains(got, "foreign keys of these tables") || !strings.HasSuffix(got, ": "+db+".kid") {
		t.Errorf("it warned %q", got)
	}
}

// A sequence that a table which stays takes values of is not set back.
func TestSequenceOfWhatStays(t *testing.T) {
	my := testServer(t)
	if my.family != server.MariaDB {
		t.Skip("MySQL has no sequences")
	}
	db := my.CreateDB(t)
	my.Query(t, db, "CREATE SEQUENCE s; CREATE SEQUENCE free; CREATE TABLE ts (id INT DEFAULT NEXTVAL(s) PRIMARY KEY); CREATE TABLE other (id INT DEFAULT NEXTVAL(free) PRIMARY KEY)")
	stream := my.dump(t, Config{Databases: []string{db}})
	my.Query(t, db, "SELECT SETVAL(s, 5000)")
	part := dump.Choice{ExcludeTables: []string{"ts"}}
	said, _, err := my.loadInto(t, LoadConfig{Database: db, Clean: true, Part: part}, stream)
	if err == nil || !strings.Contains(err.Error(), "sequence s would be dropped and set back, and table ts, which stays, takes values of it: exclude s as well") || len(said) > 0 {
		t.Errorf("error %v, and it said %v", err, said)
	}
	part.ExcludeTables = append(part.ExcludeTables, "s")
	if _, _, err := my.loadInto(t, LoadConfig{Database: db, Clean: true, Part: part}, stream); err != nil {
		t.Fatal(err)
	}
	if got := my.Query(t, db, "INSERT INTO ts VALUES (); SELECT id FROM ts; SELECT COUNT(*) FROM other"); got != "5001\n0" {
		t.Errorf("the value is %q", got)
	}
}
