package mysql

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
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

// A dump of one database with such programs goes into no other, and changes nothing there. One that
// was written before dumps noted that warns of them.
func TestProgramsInOtherCharsets(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	other := my.CreateDB(t)
	db, to := other+"ö", my.CreateDB(t)
	my.Query(t, "", "CREATE DATABASE `"+db+"`")
	t.Cleanup(func() { my.Query(t, "", "DROP DATABASE `"+db+"`") })
	my.Query(t, db, "CREATE TABLE t (a INT PRIMARY KEY); CREATE TABLE log (a INT PRIMARY KEY)")
	trigger := "CREATE TRIGGER named AFTER INSERT ON t FOR EACH ROW INSERT INTO `" + other + "\xf6`.log VALUES (NEW.a)"
	my.client(t, db, []byte("SET NAMES latin1;\n"+trigger+";\n"))
	var warnings []string
	stream := my.dump(t, Config{Databases: []string{db}, Warn: func(text string) { warnings = append(warnings, text) }})
	if !slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, "trigger named") }) {
		t.Errorf("the dump warned %q, and not of the trigger", warnings)
	}
	err := my.load(t, LoadConfig{Database: to}, stream)
	if err == nil || !strings.Contains(err.Error(), "trigger named") {
		t.Errorf("into another database: error %v", err)
	}
	if got := my.Query(t, to, "SHOW TABLES"); got != "" {
		t.Errorf("the other database has %q", got)
	}
	if err := my.load(t, LoadConfig{Database: db, Clean: true}, stream); err != nil {
		t.Errorf("into the same database: %v", err)
	}

	warn, told := warned()
	old := my.written(t, nil, "CREATE TABLE `t` (`a` INT PRIMARY KEY);\nSET NAMES latin1;\n"+trigger+";\n")
	if err := my.load(t, LoadConfig{Database: to, Warn: warn}, old); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(told(), "trigger named names something in a character set of its own") {
		t.Errorf("of an older dump it warned %q", told())
	}
}

// Programs with other names in another character set go into a database of any name, and nobody is
// bothered.
func TestOtherNamesInOtherCharsets(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db, to := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE t (a INT PRIMARY KEY)")
	my.client(t, db, []byte("SET NAMES latin1;\nCREATE PROCEDURE p() SELECT \xf6l.a FROM t AS \xf6l;\n"))
	warn, told := warned()
	stream := my.dump(t, Config{Databases: []string{db}, Warn: warn})
	if err := my.load(t, LoadConfig{Database: to, Warn: warn}, stream); err != nil {
		t.Fatal(err)
	}
	if told() != "" {
		t.Errorf("it warned %q", told())
	}
	if again := my.dump(t, Config{Databases: []string{to}}); !bytes.Equal(stream, again) {
		t.Errorf("another dump:\n%s\n%s", stream, again)
	}
}

// A file of mysqldump's of one database goes into another as a dump of several does.
func TestProgramsOfMysqldumpElsewhere(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	other := my.CreateDB(t)
	db, to := other+"ö", my.CreateDB(t)
	my.Query(t, "", "CREATE DATABASE `"+db+"`")
	t.Cleanup(func() { my.Query(t, "", "DROP DATABASE `"+db+"`") })
	my.Query(t, db, "CREATE TABLE t (a INT PRIMARY KEY); CREATE TABLE u (a INT PRIMARY KEY); CREATE TABLE log (a INT PRIMARY KEY); "+
		"CREATE TRIGGER sure AFTER INSERT ON t FOR EACH ROW INSERT INTO `"+db+"`.log VALUES (NEW.a); "+
		"CREATE PROCEDURE unsure() SELECT `"+db+"`.a FROM `"+db+"`.t AS `"+db+"`")
	my.client(t, db, []byte("SET NAMES latin1;\nCREATE TRIGGER foreign_bytes AFTER INSERT ON u FOR EACH ROW INSERT INTO `"+other+"\xf6`.log VALUES (NEW.a);\n"))
	args := []string{"--routines", db}
	if my.family == server.MySQL {
		args = append([]string{"--set-gtid-purged=OFF"}, args...)
	}
	stream := []byte(my.run(t, nil, my.Command(my.Dumper, args...))) // with the line that names the database
	warn, told := warned()
	if err := my.load(t, LoadConfig{Database: to, Warn: warn}, stream); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"trigger sure named " + db, "procedure unsure is left out", "trigger foreign_bytes is left out"} {
		if !strings.Contains(told(), want) {
			t.Errorf("it warned %q, and not: %s", told(), want)
		}
	}
	my.Query(t, to, "INSERT INTO t VALUES (1); INSERT INTO u VALUES (2)")
	if got := my.Query(t, db, "SELECT COUNT(*) FROM log") + my.Query(t, to, "SELECT COUNT(*) FROM log"); got != "01" {
		t.Errorf("rows in the living database's log and in the other's: %s", got)
	}
	if err := my.load(t, LoadConfig{Database: db, Clean: true}, stream); err != nil {
		t.Fatal(err)
	}
	if got := my.Query(t, db, "INSERT INTO u VALUES (3); SELECT a FROM log"); got != "3" {
		t.Errorf("the same database's log has %q", got)
	}
}
