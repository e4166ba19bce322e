package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A dump of one database goes into the named one, or nowhere, and one of several into those that it
// makes: every combination of what the dump is, ours or mysqldump's, what is named, what is there
// and whether it may be dropped. No other database is touched.
func TestTarget(t *testing.T) {
	my := testServer(t)
	from, one, two, named, bystander := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	admin := my.session(t)
	all := []string{one, two, named, bystander}
	fill := func(mark string, databases ...string) {
		for _, db := range databases {
			for _, sql := range []string{"DROP DATABASE IF EXISTS " + db, "CREATE DATABASE " + db, "CREATE TABLE " + db + ".t (mark VARCHAR(20) PRIMARY KEY)", "INSERT INTO " + db + ".t VALUES ('" + mark + "')"} {
				execute(t, admin, sql)
			}
		}
	}
	fill("dumped", from, one, two)
	dumps := []struct {
		name   string
		stream []byte
		of     []string // databases that it makes; none: it is of one
	}{
		{"ours of one", my.dump(t, Config{Databases: []string{from}}), nil},
		{"ours of several", my.dump(t, Config{Databases: []string{one, two}}), []string{one, two}},
		{"mysqldump's of one", []byte(my.mysqldump(t, from)), nil},
		{"mysqldump's of several", []byte(my.mysqldump(t, "--databases", one, two)), []string{one, two}},
		{"mysqldump's of several that drops them", []byte(my.mysqldump(t, "--add-drop-database", "--databases", one, two)), []string{one, two}},
	}
	for _, d := range dumps {
		for bits := range 8 {
			byName, clean, full := bits&1 > 0, bits&2 > 0, bits&4 > 0
			name := fmt.Sprintf("%s, named %t, clean %t, full %t", d.name, byName, clean, full)
			fill("old", all...)
			if !full {
				execute(t, admin, "DROP TABLE "+named+".t")
				execute(t, admin, "DROP DATABASE "+one)
				execute(t, admin, "DROP TABLE "+two+".t")
			}
			cfg := LoadConfig{Clean: clean}
			if byName {
				cfg.Database = named
			}
			var refusal error
			into := d.of
			switch {
			case byName && d.of != nil:
				refusal = ErrSeveral
			case !byName && d.of == nil:
				refusal = ErrNoName
			case full && !clean:
				refusal = dump.ErrNotEmpty
			}
			if d.of == nil {
				into = []string{named}
			}
			said, verified, err := my.loadInto(t, cfg, d.stream)
			if !errors.Is(err, refusal) || refusal == nil && err != nil {
				t.Errorf("%s: %v, want %v", name, err, refusal)
			}
			if refusal != dump.ErrNotEmpty && !errors.Is(verified, refusal) {
				t.Errorf("%s: verified: %v, want %v", name, verified, refusal)
			}
			switch {
			case refusal != nil && len(said) > 0:
				t.Errorf("%s: a refused load said that it goes to %+v", name, said)
			case refusal == nil && (len(said) != 1 || !slices.Equal(said[0].Databases, into) || (said[0].Database != "") != byName):
				t.Errorf("%s: it said that it goes to %+v, want %s", name, said, into)
			case refusal == nil && (len(said[0].Drops) > 0) != (clean && (full || d.of != nil)):
				t.Errorf("%s: it said that %q is dropped", name, said[0].Drops)
			}
			for _, db := range all {
				want := ""
				if full || db == bystander {
					want = "old"
				}
				if refusal == nil && slices.Contains(into, db) {
					want = "dumped"
				}
				if got := marks(t, admin, db); got != want {
					t.Errorf("%s: database %s holds %q, want %q", name, db, got, want)
				}
			}
		}
	}
	if got := marks(t, admin, from); got != "dumped" {
		t.Errorf("the database that was dumped holds %q", got)
	}
}

// A statement that leads out of the databases that a dump is of is refused, however it is written.
func TestStatementsElsewhere(t *testing.T) {
	my := testServer(t)
	home, other := my.CreateDB(t), my.CreateDB(t)
	admin := my.session(t)
	execute(t, admin, "CREATE TABLE "+other+".t (mark VARCHAR(20) PRIMARY KEY)")
	execute(t, admin, "INSERT INTO "+other+".t VALUES ('old')")
	leads := []string{
		"USE `" + other + "`", "use " + other, "/*!50000 USE `" + other + "` */", "/* a */ USE " + other,
		"DROP DATABASE `" + other + "`", "/*!40000 DROP DATABASE IF EXISTS `" + other + "`*/", "DROP SCHEMA " + other,
		"CREATE DATABASE /*!32312 IF NOT EXISTS*/ `" + other + "`", "ALTER DATABASE `" + other + "` COMMENT = 'x'",
		"INSERT INTO `" + other + "`.`t` VALUES ('new')", "REPLACE INTO " + other + " . t VALUES ('new')", "DELETE FROM `" + other + "`.t", "UPDATE " + other + ".t SET mark = 'new'",
		"DROP TABLE IF EXISTS `mine`, `" + other + "`.`t`", "TRUNCATE " + other + ".t", "CREATE TABLE `" + other + "`.`new` (a INT)", "RENAME TABLE mine TO " + other + ".mine",
		"CREATE DEFINER=`root`@`localhost` PROCEDURE `" + other + "`.`p`() SELECT 1", "CREATE /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `tr` BEFORE INSERT ON `" + other + "`.`t` FOR EACH ROW SET @a = 1 */",
		"CREATE OR REPLACE VIEW " + other + ".v AS SELECT 1", "ALTER TABLE `mine` RENAME TO `" + other + "`.`mine`", "LOCK TABLES " + other + ".t WRITE",
	}
	if my.family == server.MariaDB { // to MySQL it is a comment
		leads = append(leads, "/*M!100000 USE "+other+"*/")
	}
	foreign := func(sql string) []byte {
		return []byte("-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)                         \n" + sql + "-- Dump completed\n")
	}
	for _, lead := range leads {
		sql := "CREATE TABLE `mine` (a INT);\n" + lead + ";\n"
		streams := map[string][]byte{
			"ours":              my.written(t, nil, sql),
			"ours in a comment": my.written(t, nil, "CREATE TABLE `mine` (a INT);\n-- "+note.Native+fmt.Sprintf("%+q", lead)+"\n"),
			"mysqldump's":       foreign(sql),
		}
		for whose, stream := range streams {
			_, verified, err := my.loadInto(t, LoadConfig{Database: home, Clean: true}, stream)
			if !errors.Is(verified, dump.ErrElsewhere) || !errors.Is(err, dump.ErrElsewhere) {
				t.Errorf("%s: %s: verified: %v, loaded: %v, want %v", whose, lead, verified, err, dump.ErrElsewhere)
			}
		}
	}
	if got := marks(t, admin, other); got != "old" {
		t.Errorf("the database that nobody named holds %q", got)
	}
	several := "-- " + note.Database + "\"elsewhere\"\nUSE `" + other + "`;\nDELETE FROM t;\n"
	if _, verified, err := my.loadInto(t, LoadConfig{}, my.headed(t, note.Several, several)); !errors.Is(verified, dump.ErrElsewhere) || !errors.Is(err, dump.ErrElsewhere) {
		t.Errorf("of several: verified: %v, loaded: %v, want %v", verified, err, dump.ErrElsewhere)
	}
	if got := marks(t, admin, other); got != "old" {
		t.Errorf("the database that the dump does not name holds %q", got)
	}
}

// mysqldump gives a database its collation for a while by its name, also in a dump of that one: it
// is the target's that is meant.
func TestCollationOfTarget(t *testing.T) {
	my := testServer(t)
	from, to := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, from, "CREATE TABLE t (a INT)")
	stream := my.mysqldump(t, from)
	end := strings.LastIndex(stream, "-- Dump completed")
	stream = stream[:end] + "ALTER DATABASE `" + from + "` CHARACTER SET latin2 COLLATE latin2_bin ;\n" + stream[end:]
	if err := my.load(t, LoadConfig{Database: to}, []byte(stream)); err != nil {
		t.Fatal(err)
	}
	for db, want := range map[string]bool{from: false, to: true} {
		if got := my.Query(t, "", "SELECT default_collation_name FROM information_schema.schemata WHERE schema_name = '"+db+"'"); (got == "latin2_bin") != want {
			t.Errorf("database %s has the collation %s", db, got)
		}
	}
}

// What keeps a database from being dropped is found before another one is.
func TestUndroppable(t *testing.T) {
	my := testServer(t)
	first, last := my.CreateDB(t), my.CreateDB(t)
	admin := my.session(t)
	for _, db := range []string{first, last} {
		execute(t, admin, "CREATE TABLE "+db+".t (mark VARCHAR(20) PRIMARY KEY)")
		execute(t, admin, "INSERT INTO "+db+".t VALUES ('old')")
	}
	stream := my.dump(t, Config{Databases: []string{first, last}})
	my.Query(t, "", "CREATE USER half@'%' IDENTIFIED BY 'x'; GRANT ALL ON "+first+".* TO half@'%'; GRANT SELECT, INSERT, CREATE, LOCK TABLES ON "+last+".* TO half@'%'")
	t.Cleanup(func() { my.Query(t, "", "DROP USER half@'%'") })
	half := my.address
	half.User, half.Password = "half", "x"
	for name, test := range map[string]struct {
		server Server
		set    func(*testing.T)
		want   string
	}{
		"a lock": {my.address, func(t *testing.T) {
			holder := my.session(t)
			execute(t, holder, "START TRANSACTION")
			execute(t, holder, "INSERT INTO "+last+".t VALUES ('later')")
		}, "database " + last + ": "},
		"a right": {half, func(*testing.T) {}, "database " + last + ": the account lacks a right: GRANT DROP ON `" + last + "`.* TO `half`@`%`"},
	} {
		t.Run(name, func(t *testing.T) {
			test.set(t)
			for cfg, stream := range map[*LoadConfig][]byte{
				{Clean: true}:                 stream,
				{Clean: true, Database: last}: my.written(t, nil, "CREATE TABLE `t` (a INT);\n"),
			} {
				cfg.Server, cfg.LockTimeout = test.server, time.Second
				said, _, err := my.loadInto(t, *cfg, stream)
				if !errors.Is(err, ErrUndroppable) || !strings.Contains(err.Error(), test.want) || errors.As(err, new(*dump.PartialError)) || len(said) > 0 {
					t.Errorf("error %v, want … %s, and nothing changed; it said %v", err, test.want, said)
				}
			}
			for _, db := range []string{first, last} {
				if got := marks(t, admin, db); got != "old" {
					t.Errorf("database %s holds %q", db, got)
				}
			}
		})
	}
}

// A database with a table, an alias and a program of its own name goes into another one, and what
// names the database in words that are SQL's own, or functions of the server's, names that one.
func TestTriggersByQualifiedNamesBesideTheirs(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	from, to := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, from, strings.ReplaceAll("CREATE TABLE DB (id INT PRIMARY KEY, hits INT); INSERT INTO DB VALUES (1, 5); CREATE TABLE `order` (id INT); CREATE TABLE log (x INT); "+
		"CREATE VIEW v AS SELECT id FROM DB; CREATE VIEW w AS SELECT DB.id FROM `order` DB; CREATE FUNCTION `format`(a INT) RETURNS INT DETERMINISTIC RETURN a + 1; "+
		"CREATE PROCEDURE DB() SELECT DB.id, DB.* FROM DB; CREATE PROCEDURE p() INSERT INTO DB.log SELECT DB.hits FROM DB; CREATE PROCEDURE q() SELECT DB.format(1), COUNT(*) FROM DB.order; "+
		"CREATE TRIGGER tr BEFORE INSERT ON DB.order FOR EACH ROW SET NEW.id = (SELECT MAX(DB.hits) FROM DB)", "DB", from))
	stream := my.dump(t, Config{Databases: []string{from}})
	if err := my.load(t, LoadConfig{Database: to}, stream); err != nil {
		t.Fatal(err)
	}
	if got := my.Query(t, to, "CALL p(); INSERT INTO `order` VALUES (1); SELECT v.id, w.id, x FROM v, w, log; CALL q(); CALL "+from+"()"); got != "1\t5\t5\n2\t1\n1\t1\t5" {
		t.Errorf("the restored programs and views work with %q", got)
	}
	if got := my.Query(t, from, "SELECT COUNT(*) FROM log"); got != "0" {
		t.Errorf("what was restored has changed the original")
	}
}

// A trigger that was made by qualified names goes with its database, into another one too.
func TestTriggersByQualifiedNames(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	from, to := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, from, strings.ReplaceAll(`CREATE TABLE t (a INT, b INT); CREATE TABLE log (a INT);
		CREATE TRIGGER DB.tr BEFORE INSERT ON DB . t FOR EACH ROW SET NEW.b = (SELECT COUNT(*) FROM DB.t);
		CREATE PROCEDURE p() INSERT INTO DB.log SELECT DB . t.a FROM DB.t;
		CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 7;
		CREATE VIEW v AS SELECT DB.f() AS f, DB.t.a FROM DB.t; CREATE VIEW w AS SELECT f FROM v`, "DB", quote.Name(from)))
	if my.family == server.MariaDB {
		my.Query(t, from, "CREATE SEQUENCE s START 100; SELECT NEXTVAL(s); CREATE VIEW sequenced AS SELECT LASTVAL(s) AS l, NEXTVAL("+from+".s) AS n; CREATE DEFINER = nobody@nowhere VIEW disowned AS SELECT a, b FROM t")
	}
	stream := my.dump(t, Config{Databases: []string{from}})
	var told []string
	if err := my.load(t, LoadConfig{Database: to, Warn: func(text string) { told = append(told, text) }}, stream); err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(told, "\n"); !strings.Contains(all, "procedure p, trigger tr") {
		t.Errorf("what has lost its database's name is not named: %s", all)
	}
	my.Query(t, from, "INSERT INTO t (a) VALUES (1), (2)")
	if got := my.Query(t, to, "INSERT INTO t (a) VALUES (1); CALL p(); SELECT t.b, log.a, v.f FROM t, log, v"); got != "0\t1\t7" {
		t.Errorf("the restored programs and views work with %q", got)
	}
	if again := my.dump(t, Config{Databases: []string{to}}); bytes.Contains(again, []byte(from)) {
		t.Errorf("what was restored names the database that it was made of: %s", again)
	}
	// What cannot be told from other names is named before anything starts, and is as it was in a
	// database of its name.
	my.Query(t, from, "CREATE TABLE a (a INT); CREATE PROCEDURE aliased() SELECT "+from+".a FROM "+from+".t "+from)
	stream = my.dump(t, Config{Databases: []string{from}})
	if err := my.load(t, LoadConfig{Database: to, Clean: true}, stream); err == nil || !strings.Contains(err.Error(), "procedure aliased") || errors.As(err, new(*dump.PartialError)) {
		t.Errorf("a restore into another database: %v", err)
	}
	if err := my.load(t, LoadConfig{Database: from, Clean: true}, stream); err != nil {
		t.Error(err)
	} else if again := my.dump(t, Config{Databases: []string{from}}); !bytes.Equal(stream, again) {
		t.Errorf("another database: %s", cmp.Diff(lines(string(stream)), lines(string(again))))
	}
}

// Foreign keys between databases keep none of them from being dropped and made anew, whatever the
// order.
func TestForeignKeysBetweenDatabases(t *testing.T) {
	my := testServer(t)
	a, b, other := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	my.Query(t, "", "CREATE TABLE "+a+".p (id INT PRIMARY KEY); CREATE TABLE "+b+".p (id INT PRIMARY KEY)")
	for from, to := range map[string]string{a: b, b: a, other: a} {
		my.Query(t, from, "CREATE TABLE c (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES "+to+".p (id)); INSERT INTO "+to+".p VALUES (1) ON DUPLICATE KEY UPDATE id = 1; INSERT INTO c VALUES (1)")
	}
	t.Cleanup(func() { my.Query(t, "", "SET foreign_key_checks = 0; DROP TABLE "+a+".c, "+b+".c, "+other+".c") })
	stream := my.dump(t, Config{Databases: []string{a, b}})
	if err := my.load(t, LoadConfig{Clean: true}, stream); err != nil {
		t.Fatal(err)
	}
	if again := my.dump(t, Config{Databases: []string{a, b}}); !bytes.Equal(stream, again) {
		t.Error("the restored databases are others")
	}
	if err := my.load(t, LoadConfig{Database: a, Clean: true}, my.dump(t, Config{Databases: []string{a}})); err != nil {
		t.Fatal(err)
	}
	if got := my.Query(t, other, "SELECT COUNT(*) FROM c"); got != "1" {
		t.Errorf("the table that refers to what was restored has %s rows", got)
	}
}

// A server that does not tell databases apart by case finds the one that is there.
func TestTargetByOtherCase(t *testing.T) {
	my := testServer(t)
	if my.family != server.MariaDB {
		t.Skip("MySQL is told when it makes its data")
	}
	stream := my.headed(t, note.Several, "-- database \"Shop\"\nCREATE DATABASE IF NOT EXISTS `Shop`;\nUSE `Shop`;\nCREATE TABLE `new` (`a` INT);\n")
	folding := newTestMySQL(servers.MariaDB(t, "--lower-case-table-names=1"))
	folding.Query(t, "", "CREATE DATABASE shop; CREATE TABLE shop.t (mark VARCHAR(20)); INSERT INTO shop.t VALUES ('old')")
	if err := folding.load(t, LoadConfig{}, stream); !errors.Is(err, dump.ErrNotEmpty) {
		t.Errorf("over a database of another case: %v, want %v", err, dump.ErrNotEmpty)
	}
	if err := folding.load(t, LoadConfig{Clean: true}, stream); err != nil {
		t.Error(err)
	}
	if got := folding.Query(t, "", "SELECT GROUP_CONCAT(table_name) FROM information_schema.tables WHERE table_schema = 'shop'"); got != "new" {
		t.Errorf("the database has the tables %s", got)
	}
}

// A dump whose first statement fails has changed nothing, and after what was dropped for it nothing
// of it is there.
func TestFirstStatementFails(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	if err := my.load(t, LoadConfig{Database: db}, my.written(t, nil, "SET @a = 1;\nCREATE TABLE `t` (`a` NOTHING);\n")); err == nil || errors.As(err, new(*dump.PartialError)) {
		t.Errorf("of one: %v", err)
	}
	several := my.headed(t, note.Several, "-- database "+fmt.Sprintf("%+q", db)+"\nSET @a = 1;\nCREATE TABLE `t` (`a` NOTHING);\n")
	if err := my.load(t, LoadConfig{Clean: true}, several); err == nil || !strings.HasSuffix(err.Error(), "; dropped are database "+db+", and nothing of the dump is there yet") {
		t.Errorf("of several: %v", err)
	}
}

// mysqldump's dump of several, read once, tells its databases on the way: each is looked at when
// its turn comes, and none is dropped.
func TestTargetUnverified(t *testing.T) {
	my := testServer(t)
	one, two := my.CreateDB(t), my.CreateDB(t)
	admin := my.session(t)
	for _, db := range []string{one, two} {
		execute(t, admin, "CREATE TABLE "+db+".t (mark VARCHAR(20) PRIMARY KEY)")
		execute(t, admin, "INSERT INTO "+db+".t VALUES ('dumped')")
	}
	stream := []byte(my.mysqldump(t, "--databases", one, two))
	if err := my.load(t, LoadConfig{Clean: true}, stream); err == nil || !strings.Contains(err.Error(), "nothing can be dropped for it") {
		t.Errorf("with Clean: %v", err)
	}
	execute(t, admin, "DROP DATABASE "+one)
	err := my.load(t, LoadConfig{}, stream)
	if !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), two) || !strings.HasSuffix(err.Error(), dump.HoldsPart) {
		t.Errorf("with the second one full: %v", err)
	}
	execute(t, admin, "DROP DATABASE "+one)
	execute(t, admin, "DROP DATABASE "+two)
	var said []dump.Target
	if err := my.load(t, LoadConfig{Into: func(target dump.Target) { said = append(said, target) }}, stream); err != nil {
		t.Fatal(err)
	}
	if len(said) != 2 || !slices.Equal(said[1].Databases, []string{one, two}) || marks(t, admin, two) != "dumped" {
		t.Errorf("it said that it goes to %+v, and the second holds %q", said, marks(t, admin, two))
	}
}

// loadInto verifies and loads a stream, and returns what was said of where it goes.
func (my *testMySQL) loadInto(t *testing.T, cfg LoadConfig, stream []byte) (said []dump.Target, verified, err error) {
	t.Helper()
	cfg.Into = func(target dump.Target) { said = append(said, target) }
	l := my.loader(t, cfg)
	verified = l.Verify(bytes.NewReader(stream))
	return said, verified, l.Load(t.Context(), bytes.NewReader(stream))
}

// headed makes a whole dump of that kind.
func (my *testMySQL) headed(t *testing.T, kind, sql string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := dump.NewWriter(&b, kind)
	w.WriteString("-- " + note.Server + string(my.family) + " 10.0\n" + sql)
	if err := w.End(nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// session opens a session, until the test is over.
func (my *testMySQL) session(t *testing.T) *server.Conn {
	t.Helper()
	c, err := my.connect(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func execute(t *testing.T, c *server.Conn, sql string) {
	t.Helper()
	if err := c.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// marks is what the table t holds in a database; empty where there is none.
func marks(t *testing.T, c *server.Conn, db string) string {
	t.Helper()
	rows, err := c.List(t.Context(), "SELECT GROUP_CONCAT(mark) AS marks FROM "+db+".t")
	if server.IsError(err, server.CodeNoSuchTable, server.CodeNoSuchDatabase) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return rows[0]["marks"]
}

// What is set to empty a database for mysqldump's dump does not change what that sets for itself,
// which comes before.
func TestCleanForMysqldump(t *testing.T) {
	my := testServer(t)
	db, target := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE z (a INT PRIMARY KEY, d DATE); CREATE TABLE refers (a INT, FOREIGN KEY (a) REFERENCES z (a))")
	stream := []byte(my.mysqldump(t, db))
	my.Query(t, target, "CREATE TABLE old (a INT)")
	if my.family == server.MariaDB { // which is dropped in a mode in which a DATE is a DATETIME
		my.Query(t, target, "DELIMITER //\nSET sql_mode = 'ORACLE'// CREATE PACKAGE p AS FUNCTION f RETURN INT; END//")
	}
	if err := my.load(t, LoadConfig{Database: target, Clean: true}, stream); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lines(string(stream)), lines(my.mysqldump(t, target))); diff != "" {
		t.Errorf("another database: %s", diff)
	}
}
