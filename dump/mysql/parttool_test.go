package mysql

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A part of mysqldump's dump is what the same part of one of ours is.
func TestPartOfMysqldump(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db, other := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, shop)
	if my.family == server.MariaDB {
		my.Query(t, db, "CREATE SEQUENCE numbers; CREATE SEQUENCE unused")
	}
	my.Query(t, other, "CREATE TABLE orders (mark INT); CREATE TABLE customers (mark INT)")
	one, several := []byte(my.mysqldump(t, db)), []byte(my.mysqldump(t, "--databases", "--add-drop-database", other, db))
	for _, name := range []string{"customers", "orders", "items", "log"} {
		for stream, from := range map[*[]byte]string{&one: "", &several: db} {
			to := my.CreateDB(t)
			cfg := LoadConfig{Database: to, Part: dump.Choice{Tables: []string{name}, FromDatabase: from}}
			if err := my.load(t, cfg, *stream); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if diff := cmp.Diff(my.dumpOf(t, db, name), my.dumpOf(t, to, name)); diff != "" {
				t.Errorf("%s alone is another one:\n%s", name, diff)
			}
			if got := len(my.listed(t, to, "TABLE")) + len(my.listed(t, to, "PROCEDURE")) + len(my.listed(t, to, "EVENT")) + len(my.listed(t, to, "VIEW")) + len(my.listed(t, to, "SEQUENCE")); got != 1 {
				t.Errorf("with %s there are %d things", name, got)
			}
		}
	}

	// All of one database, views and programs too.
	to := my.CreateDB(t)
	if err := my.load(t, LoadConfig{Database: to, Part: dump.Choice{FromDatabase: db}}, several); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(my.content(t, db), my.content(t, to)); diff != "" {
		t.Errorf("another database:\n%s", diff)
	}

	// Tables of several, which drops nothing but these.
	my.Query(t, db, "DELETE FROM items; DELETE FROM orders; UPDATE log SET text = 'kept'")
	my.Query(t, other, "INSERT INTO orders VALUES (5); INSERT INTO customers VALUES (5)")
	cfg := LoadConfig{Clean: true, Part: dump.Choice{Tables: []string{db + ".orders", other + ".customers", db + ".totals"}}}
	said, _, err := my.loadInto(t, cfg, several)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(said[0].Drops)
	if want := []string{"table " + db + ".orders", "table " + other + ".customers", "view " + db + ".totals"}; !slices.Equal(said[0].Drops, slices.Sorted(slices.Values(want))) {
		t.Errorf("it said that %q are dropped, not %q", said[0].Drops, want)
	}
	got := my.Query(t, "", strings.NewReplacer("DB", db, "OTHER", other).Replace("SELECT (SELECT COUNT(*) FROM DB.orders), (SELECT COUNT(*) FROM DB.items), (SELECT GROUP_CONCAT(text) FROM DB.log), (SELECT COUNT(*) FROM OTHER.orders), (SELECT COUNT(*) FROM OTHER.customers), (SELECT SUM(n) FROM DB.names)"))
	if got != "2\t0\tkept\t1\t0\t2" {
		t.Errorf("the databases hold %q", got)
	}

	// What is dropped is not known before the dump was read.
	if err := my.load(t, cfg, several); err == nil || errors.As(err, new(*dump.PartialError)) {
		t.Errorf("unread, with what is in the way dropped: %v", err)
	}
	if _, _, err := my.loadInto(t, LoadConfig{Database: to, Clean: true, Part: dump.Choice{FromDatabase: "nowhere"}}, several); !errors.Is(err, ErrNothingFits) {
		t.Errorf("from a database that is not there: %v", err)
	}
}

// Names of every kind are patterns, and name the same things.
func TestNamesOfParts(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	names := []string{"a.b", "a b", `q"uote`, "tick`s", "Upper", "ünï", "日本語", "semi;colon", "line\nfeed", "star*", "select", "d$llar", "back\\slash"}
	db, other := my.CreateDB(t), my.CreateDB(t)
	c := my.session(t)
	execute(t, c, "USE "+db)
	for i, name := range names {
		execute(t, c, "CREATE TABLE "+quote.Name(name)+" (a INT PRIMARY KEY)")
		execute(t, c, "INSERT INTO "+quote.Name(name)+" VALUES (1)")
		execute(t, c, "CREATE TRIGGER "+quote.Name("tr "+name)+" BEFORE INSERT ON "+quote.Name(name)+" FOR EACH ROW SET @a = 1")
		execute(t, c, "CREATE VIEW "+quote.Name("v "+name)+" AS SELECT "+string(rune('1'+i%9))+" AS a FROM "+quote.Name(name))
	}
	one, several := my.dump(t, Config{Databases: []string{db}}), my.dump(t, Config{Databases: []string{db, other}})
	tool := []byte(my.mysqldump(t, db))
	for _, name := range names {
		for _, pattern := range []string{quotedPattern(name), quote.Name(name)} {
			for _, d := range []struct {
				stream []byte
				from   string
			}{{one, ""}, {several, db}, {tool, ""}} {
				to := my.CreateDB(t)
				part := dump.Choice{Tables: []string{pattern, quotedPattern("v " + name)}, FromDatabase: d.from}
				if _, _, err := my.loadInto(t, LoadConfig{Database: to, Part: part}, d.stream); err != nil {
					t.Errorf("%q: %v", name, err)
					continue
				}
				if got := my.Query(t, to, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE(); SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE(); SELECT COUNT(*) FROM "+quote.Name("v "+name)); got != "2\n1\n1" {
					t.Errorf("%q: %q tables, triggers and rows", name, got)
				}
				my.Query(t, "", "DROP DATABASE "+to+"; CREATE DATABASE "+to)
			}
		}
	}
}

// A trigger and a view whose makers had another character set belong to the tables they name.
func TestPartInOtherCharset(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db, to := my.CreateDB(t), my.CreateDB(t)
	trigger, want := "", "1\n0"
	if my.family == server.MariaDB { // MySQL shows a trigger of such a name in UTF-8, whatever it says
		trigger, want = "CREATE TRIGGER `tr\xe9` BEFORE INSERT ON `t\xe9st` FOR EACH ROW SET NEW.a = 5;", "5\n1"
	}
	my.client(t, db, []byte("SET NAMES utf8mb4; CREATE TABLE `tést` (a INT); CREATE TABLE other (a INT); SET NAMES latin1;\n"+trigger+
		"CREATE TRIGGER tr2 BEFORE INSERT ON other FOR EACH ROW SET @x = '\xe9'; CREATE VIEW `v\xe9` AS SELECT a, '\xe9' AS b FROM `t\xe9st`;"))
	stream := my.dump(t, Config{Databases: []string{db}})
	if !bytes.Contains(stream, []byte("VIEW `v\xe9` AS")) || trigger != "" && !bytes.Contains(stream, []byte("ON `t\xe9st`")) {
		t.Fatal("the view, or the trigger, is in the dump in another character set")
	}
	if _, _, err := my.loadInto(t, LoadConfig{Database: to, Part: dump.Choice{Tables: []string{"tést", "vé"}}}, stream); err != nil {
		t.Fatal(err)
	}
	if got := my.Query(t, to, "INSERT INTO `tést` VALUES (1); SELECT a FROM `vé`; SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()"); got != want {
		t.Errorf("it works with %q", got)
	}
}
