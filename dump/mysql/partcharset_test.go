package mysql

import (
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A program whose text is in another character set names its database in other bytes. It does not
// come into a database of another name, where it would go on with the living one.
func TestPartWithProgramsInOtherCharsets(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	to, other := my.CreateDB(t), my.CreateDB(t)
	db := other + "ö"
	my.Query(t, "", "CREATE DATABASE `"+db+"`")
	t.Cleanup(func() { my.Query(t, "", "DROP DATABASE `"+db+"`") })
	my.Query(t, db, "CREATE TABLE t (a INT PRIMARY KEY); CREATE TABLE log (a INT PRIMARY KEY)")
	my.client(t, db, []byte("SET NAMES latin1;\nCREATE TRIGGER named AFTER INSERT ON t FOR EACH ROW INSERT INTO `"+other+"\xf6`.log VALUES (NEW.a);\n"+
		"CREATE TRIGGER plain BEFORE INSERT ON t FOR EACH ROW SET @x = '\xf6';\nCREATE PROCEDURE p() SELECT * FROM "+other+"\xf6.t;\n"))
	stream := my.dump(t, Config{Databases: []string{db, other}})
	warn, told := warned()
	if err := my.load(t, LoadConfig{Database: to, Part: dump.Choice{FromDatabase: db}, Warn: warn}, stream); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"trigger named is left out", "procedure p is left out"} {
		if !strings.Contains(told(), want) {
			t.Errorf("it warned %q, and not: %s", told(), want)
		}
	}
	if got := my.Query(t, to, "INSERT INTO t VALUES (1); SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()"); got != "plain" {
		t.Errorf("triggers %q", got)
	}
	if got := my.Query(t, db, "SELECT COUNT(*) FROM log"); got != "0" {
		t.Errorf("the living database has %s rows", got)
	}
}
