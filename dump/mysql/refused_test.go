package mysql

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// goOn loads a stream on behind what the server refuses, and returns what it was told of that, as
// text.
func (my *testMySQL) goOn(t *testing.T, cfg LoadConfig, stream []byte) (told []string, err error) {
	t.Helper()
	cfg.Refused = func(r dump.Refusal) {
		told = append(told, fmt.Sprintf("%d: %s: %s %d: %v", r.Line, r.What, r.Table, r.Rows, r.Err))
	}
	err = my.load(t, cfg, stream)
	return told, err
}

// A load that goes on tells what the server refuses, each with its line, and brings all else, on
// whatever number of connections.
func TestLoadGoesOn(t *testing.T) {
	my := testServer(t)
	plain := func(i int) string { return fmt.Sprintf("(%d,'x')", i) }
	twice := func(i int) string { return plain(i - i%10) } // each in ten statements
	sql := "SET foreign_key_checks = 0, unique_checks = 0;\n" +
		"CREATE TABLE `collated` (\n  `a` int NOT NULL,\n  PRIMARY KEY (`a`)\n) ENGINE=InnoDB COLLATE=utf8mb4_of_tomorrow;\n" + // 4
		"START TRANSACTION;\nINSERT INTO `collated` (`a`) VALUES\n(1),\n(2);\nINSERT INTO `collated` (`a`) VALUES\n(3);\nCOMMIT;\n" + // 9
		spreadRows("there", 50, plain) +
		spreadRows("twice", 50, twice) +
		"CREATE TABLE `still` (\n  `a` int NOT NULL,\n  UNIQUE KEY `k` (`a`)\n) ENGINE=MyISAM;\n" +
		"START TRANSACTION;\nINSERT INTO `still` (`a`) VALUES\n(1),\n(2);\nINSERT INTO `still` (`a`) VALUES\n(3),\n(2),\n(4);\nINSERT INTO `still` (`a`) VALUES\n(5);\nCOMMIT;\n" +
		"ALTER TABLE `there`\n  ADD KEY `k` (`missing`);\n" +
		"ALTER TABLE `there`\n  ADD KEY `b` (`b`(9));\n" +
		"ALTER TABLE `there`\n  ADD CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `twice` (`b`);\n" +
		"CREATE TRIGGER `tr` BEFORE INSERT ON `collated` FOR EACH ROW SET @a = 1;\n" +
		"CREATE VIEW `v` AS SELECT 1 AS `a`;\nCREATE VIEW `over` AS SELECT 1 AS `a`;\nCREATE VIEW `good` AS SELECT 1 AS `a`;\n" +
		"CREATE OR REPLACE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `v` AS select `gone`() AS `a`;\n" +
		"CREATE OR REPLACE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `over` AS select `a` from `v`;\n" +
		"CREATE OR REPLACE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `good` AS select `a` from `there`;\n"
	manifest := dump.Manifest{
		tableOf("`collated`", "(1)", "(2)", "(3)"), spreadTable("there", 50, plain), spreadTable("twice", 50, twice), tableOf("`still`", "(1)", "(2)", "(3)", "(2)", "(4)", "(5)"),
	}
	stream := my.written(t, manifest, sql)
	for jobs := 1; jobs <= 4; jobs++ {
		t.Run(fmt.Sprint(jobs, " jobs"), func(t *testing.T) {
			db := my.CreateDB(t)
			begun := my.status(t, "Com_begin")
			defer func() {
				if n := my.status(t, "Com_begin") - begun; n > 0 { // a deadlock would undo more than is told
					t.Errorf("%d transactions of several statements", n)
				}
			}()
			told, err := my.goOn(t, LoadConfig{Database: db, Jobs: jobs, Compared: func(dump.Comparison) { t.Error("it says that all is there") }}, stream)
			var incomplete *dump.IncompleteError
			var partial *dump.PartialError
			if !errors.As(err, &incomplete) || !errors.As(err, &partial) || partial.Left != dump.AllElse {
				t.Fatalf("error %v", err)
			}
			want := []dump.Table{{Name: "`collated`", Rows: 3}, {Name: "`still`", Rows: 2}, {Name: "`twice`", Rows: 45}}
			if diff := cmp.Diff(want, incomplete.Missing); diff != "" {
				t.Errorf("missing (-want +got): %s\n%s", diff, strings.Join(told, "\n"))
			}
			// The table, its two INSERTs, 45 rows, one of the other table, a key, a foreign key, a
			// trigger, two views.
			if incomplete.Refused != 54 {
				t.Errorf("%d of %d statements failed:\n%s", incomplete.Refused, incomplete.Of, strings.Join(told, "\n"))
			}
			for _, part := range []string{"4: CREATE TABLE `collated` ( …:  0: Error 1273", "9: the rows of `collated`: `collated` 3: ", ": `twice` 1: Error 1062", ": `still` 2: Error 1062", "ALTER TABLE `there` …:  0: ", "VIEW `over` AS", "TRIGGER `tr`"} {
				if !slices.ContainsFunc(told, func(text string) bool { return strings.Contains(text, part) }) {
					t.Errorf("nothing is told of %s:\n%s", part, strings.Join(told, "\n"))
				}
			}
			const all = "SELECT (SELECT COUNT(*) FROM there), (SELECT COUNT(*) FROM twice), (SELECT COUNT(*) FROM still), (SELECT COUNT(*) FROM good); SHOW FULL TABLES WHERE table_type = 'VIEW'"
			if got := my.Query(t, db, all); got != "50\t5\t4\t50\ngood\tVIEW" {
				t.Errorf("there is %q", got)
			}
		})
	}
}

// What stands on a refused statement, and would be done in the wrong place or be read in another
// way without it, is passed over.
func TestLoadGoesOnWithoutWhatItStandsOn(t *testing.T) {
	my := testServer(t)
	mine, others := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, "", "DROP DATABASE "+others)
	account := my.user(t, "ALL ON "+quote.Name(mine)+".*")
	in := func(db string) string {
		return "CREATE DATABASE IF NOT EXISTS `" + db + "`;\nUSE `" + db + "`;\n" + spreadRows("t", 3, func(i int) string { return fmt.Sprintf("(%d,'%s')", i, db) }) + "CREATE VIEW `v` AS SELECT '" + db + "' AS `db`;\n"
	}
	sql := fmt.Sprintf("-- %s%q\n-- %s%q\n", note.Database, mine, note.Database, others) + in(mine) + in(others) + "USE `" + mine + "`;\nCREATE VIEW `w` AS SELECT 1 AS `a`;\n"
	rows := func(db string) dump.Table {
		return tableOf("`"+db+"`.`t`", fmt.Sprintf("(0,'%s')", db), fmt.Sprintf("(1,'%s')", db), fmt.Sprintf("(2,'%s')", db))
	}
	stream := my.several(t, dump.Manifest{rows(mine), rows(others)}, sql)
	told, err := my.goOn(t, LoadConfig{Server: account, Clean: false}, stream)
	var incomplete *dump.IncompleteError
	if !errors.As(err, &incomplete) || incomplete.Refused != 9 {
		t.Fatalf("error %v, told %q", err, told)
	}
	if diff := cmp.Diff([]dump.Table{{Name: "`" + others + "`.`t`", Rows: 3}}, incomplete.Missing); diff != "" || len(told) != 3 {
		t.Errorf("missing (-want +got): %s\ntold %q", diff, told)
	}
	if got := my.Query(t, mine, "SELECT GROUP_CONCAT(DISTINCT b), COUNT(*) FROM t; SELECT * FROM v; SELECT * FROM w"); got != mine+"\t3\n"+mine+"\n1" {
		t.Errorf("the database that can be used has %q", got)
	}

	// A collation that the server lacks takes nothing else with it, a character set does.
	db := my.CreateDB(t)
	settings := "SET character_set_client = latin1, collation_connection = latin1_of_tomorrow, sql_mode = 'ANSI_QUOTES';\nCREATE VIEW \"v\" AS SELECT 1 AS \"a\";\n" +
		"SET character_set_client = utf9;\nCREATE VIEW `lost` AS SELECT 1 AS `a`;\nSET character_set_client = utf8mb4, sql_mode = '';\nCREATE VIEW `w` AS SELECT 1 AS `a`;\n"
	told, err = my.goOn(t, LoadConfig{Database: db}, my.written(t, nil, settings))
	if !errors.As(err, &incomplete) || incomplete.Refused != 3 || len(told) != 3 {
		t.Errorf("error %v, told %q", err, told)
	}
	if got := my.Query(t, db, "SHOW TABLES"); got != "v\nw" {
		t.Errorf("there is %q", got)
	}
	// Nor do rows come that would be read in another way.
	row := func(int) string { return `(1,'\\')` }
	create, inserts, _ := strings.Cut(spreadRows("t", 1, row), "START TRANSACTION;\n")
	my.Query(t, db, "DROP VIEW v, w")
	told, err = my.goOn(t, LoadConfig{Database: db}, my.written(t, dump.Manifest{spreadTable("t", 1, row)}, create+"SET character_set_client = utf9;\nSTART TRANSACTION;\n"+inserts))
	if !errors.As(err, &incomplete) || len(incomplete.Missing) != 1 || incomplete.Missing[0].Rows != 1 {
		t.Errorf("error %v, told %q", err, told)
	}
	if got := my.Query(t, db, "SELECT COUNT(*) FROM t"); got != "0" {
		t.Errorf("%s rows", got)
	}
}

// A table whose name is another's to the server is not made, and its rows do not go into the other.
func TestLoadGoesOnPastAFoldedName(t *testing.T) {
	if testServer(t).family != server.MariaDB {
		t.Skip("MySQL is told when it makes its data")
	}
	my := newTestMySQL(servers.MariaDB(t, "--lower-case-table-names=1"))
	db := my.CreateDB(t)
	row := func(i int) string { return fmt.Sprintf("(%d,'lower')", i) }
	upper := func(i int) string { return fmt.Sprintf("(%d,'upper')", i+10) }
	stream := my.written(t, dump.Manifest{spreadTable("t", 3, row), spreadTable("T", 3, upper)}, spreadRows("t", 3, row)+spreadRows("T", 3, upper))
	told, err := my.goOn(t, LoadConfig{Database: db}, stream)
	if err == nil || !strings.Contains(err.Error(), "4 of 8 statements failed; rows are missing of `T` (3); "+dump.AllElse) {
		t.Errorf("error %v, told %q", err, told)
	}
	if got := my.Query(t, db, "SELECT b, COUNT(*) FROM t GROUP BY b"); got != "lower\t3" {
		t.Errorf("the table has %q", got)
	}
}

// Nor are its keys and triggers made of the other, and a view of the other's name stays.
func TestLoadGoesOnBesideAFoldedName(t *testing.T) {
	if testServer(t).family != server.MariaDB {
		t.Skip("MySQL is told when it makes its data")
	}
	my := newTestMySQL(servers.MariaDB(t, "--lower-case-table-names=1"))
	my.trustCreators(t)
	db := my.CreateDB(t)
	stream := my.written(t, nil, "CREATE TABLE `t` (`a` INT PRIMARY KEY, `b` INT);\nCREATE VIEW `v` AS SELECT 1 AS `a`;\n"+
		"CREATE TABLE `T` (`a` INT PRIMARY KEY, `b` INT);\nCREATE VIEW `V` AS SELECT 2 AS `a`;\nALTER TABLE `T`\n  ADD UNIQUE KEY `only` (`b`);\n"+
		"CREATE TRIGGER `tr` BEFORE INSERT ON `T` FOR EACH ROW SET NEW.b = 0;\nCREATE OR REPLACE VIEW `V` AS SELECT 3 AS `a`;\nCREATE OR REPLACE VIEW `V` AS SELECT `gone`() AS `a`;\n")
	told, err := my.goOn(t, LoadConfig{Database: db}, stream)
	var incomplete *dump.IncompleteError
	if !errors.As(err, &incomplete) || incomplete.Refused != 6 || len(told) != 6 {
		t.Errorf("error %v, told %q", err, told)
	}
	got := my.Query(t, db, "SELECT a FROM v; SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE(); "+
		"SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name = 'only'")
	if got != "1\n0\n0" {
		t.Errorf("the view, triggers and keys are %q; told %q", got, told)
	}
}

// A file of mysqldump's goes on as well: a row that is too long for the server, tables that are not
// made, rows in one transaction.
func TestLoadOfMysqldumpGoesOn(t *testing.T) {
	my := testServer(t)
	from, to := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, from, "CREATE TABLE a (id INT PRIMARY KEY, b LONGTEXT); INSERT INTO a VALUES (1, 'x'), (2, REPEAT('y', 17000000)), (3, 'z'); "+
		"CREATE TABLE b (id INT PRIMARY KEY) COLLATE utf8mb4_bin; INSERT INTO b VALUES (1), (2); CREATE TABLE c (id INT PRIMARY KEY); INSERT INTO c VALUES (1); CREATE VIEW v AS SELECT id FROM b; CREATE VIEW w AS SELECT id FROM a")
	older := strings.NewReplacer("SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;", "set autocommit=0;", "SET AUTOCOMMIT=@OLD_AUTOCOMMIT;\n", "")
	for i, args := range [][]string{{from}, {"--no-autocommit", from}, {"--no-autocommit", from}} {
		dumped := my.run(t, nil, my.Command(my.Dumper, append([]string{"--max-allowed-packet=1G"}, args...)...))
		dumped = strings.ReplaceAll(dumped, "utf8mb4_bin", "utf8mb4_of_tomorrow")
		dumped = strings.ReplaceAll(dumped, "(1);", "(@@autocommit);") // of c
		if i == 2 {
			dumped = older.Replace(dumped)
		}
		packet := my.Query(t, "", "SELECT @@GLOBAL.max_allowed_packet")
		my.Query(t, "", "SET GLOBAL max_allowed_packet = 1048576")
		var incomplete *dump.IncompleteError
		told, err := my.goOn(t, LoadConfig{Database: to, Clean: true}, []byte(dumped))
		my.Query(t, "", "SET GLOBAL max_allowed_packet = "+packet)
		if !errors.As(err, &incomplete) {
			t.Fatalf("%s: error %v, told %q", args, err, told)
		}
		if diff := cmp.Diff([]dump.Table{{Name: "`a`", Rows: 1}, {Name: "`b`", Rows: 2}}, incomplete.Missing); diff != "" {
			t.Errorf("%s: missing (-want +got): %s\ntold %q", args, diff, told)
		}
		if got := my.Query(t, to, "SHOW TABLES; SELECT id FROM w; SELECT id FROM c"); got != "a\nc\nw\n1\n3\n1" {
			t.Errorf("%s: there is %q; told %q", args, got, told)
		}
	}
}

// What says that nothing more can be written, or that the dump is none, ends a load that goes on.
func TestLoadDoesNotGoOnBehindAll(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	my.Query(t, "", "SET GLOBAL read_only = 1")
	defer my.Query(t, "", "SET GLOBAL read_only = 0")
	table := "CREATE TABLE `t` (`a` INT PRIMARY KEY);\n"
	for name, c := range map[string]struct {
		account Server
		stream  []byte
		want    string
	}{
		"a server that takes no writes": {my.user(t, "ALL ON "+quote.Name(db)+".*"), my.written(t, nil, table), "1290"},
		"a database that is not there":  {my.address, my.written(t, nil, table), "1049"},
		"a damaged dump":                {my.address, bytes.Replace(my.written(t, nil, table), []byte("INT"), []byte("int"), 1), "damaged"},
		"a dump that leads elsewhere":   {my.address, my.written(t, nil, table+"DROP TABLE `mysql`.`user`;\n"), dump.ErrElsewhere.Error()},
	} {
		into := db
		if c.want == "1049" {
			into = "nowhere"
		}
		told, err := my.goOn(t, LoadConfig{Server: c.account, Database: into, Clean: true}, c.stream)
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, new(*dump.IncompleteError)) || len(told) > 0 {
			t.Errorf("%s: error %v, told %q", name, err, told)
		}
	}
}

// A load that goes on where nothing is refused is a load like any other, on whatever number of
// connections.
func TestLoadGoesOnWithoutRefusals(t *testing.T) {
	my := testServer(t)
	from := my.CreateDB(t)
	my.trustCreators(t)
	for _, script := range []string{"kinds", "types", strings.ToLower(string(my.family))} {
		my.client(t, from, readFile(t, "testdata/database/"+script+".sql"))
	}
	one := my.dump(t, Config{Databases: []string{from}})
	for jobs := 1; jobs <= 4; jobs *= 2 {
		to := my.CreateDB(t)
		if told, err := my.goOn(t, LoadConfig{Database: to, Jobs: jobs}, one); err != nil || len(told) > 0 {
			t.Fatalf("%d jobs: %v, told %q", jobs, err, told)
		}
		if again := my.dump(t, Config{Databases: []string{to}}); !bytes.Equal(one, again) {
			t.Errorf("%d jobs: another database: %s", jobs, cmp.Diff(lines(string(one)), lines(string(again))))
		}
	}
	several := my.dump(t, Config{Databases: []string{from, my.CreateDB(t)}})
	if told, err := my.goOn(t, LoadConfig{Clean: true}, several); err != nil || len(told) > 0 {
		t.Fatalf("of several: %v, told %q", err, told)
	}
	if again := my.dump(t, Config{Databases: []string{from}}); !bytes.Equal(one, again) {
		t.Errorf("of several: another database: %s", cmp.Diff(lines(string(one)), lines(string(again))))
	}
}

// Sessions of a load that are in each other's way let each other go, and nothing is missing.
func TestLoadGoesOnBehindDeadlocks(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	row := func(i int) string { return fmt.Sprintf("(%d,'')", i) }
	deadlock := "CREATE TRIGGER `tr` BEFORE INSERT ON `t` FOR EACH ROW IF @met IS NULL THEN SET @met = 1; SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END IF"
	create, rows, _ := strings.Cut(spreadRows("t", 20, row), "START TRANSACTION;\n")
	db := my.CreateDB(t)
	for of, late := range map[int]string{0: "", 23: "CREATE TABLE `t` (`a` INT);\n"} { // of which one is refused, and none counts twice
		stream := my.written(t, dump.Manifest{spreadTable("t", 20, row)}, create+"DELIMITER //\n"+deadlock+"//\nDELIMITER ;\n"+"START TRANSACTION;\n"+rows+late)
		told, err := my.goOn(t, LoadConfig{Database: db, Clean: true, Jobs: 2}, stream)
		if got := my.Query(t, db, "SELECT COUNT(*) FROM t"); (err != nil || len(told) > 0) != (of > 0) || got != "20" {
			t.Errorf("error %v, told %q; %s rows", err, told, got)
		}
		var incomplete *dump.IncompleteError
		if errors.As(err, &incomplete) && incomplete.Of != of {
			t.Errorf("of %d statements, not %d", incomplete.Of, of)
		}
	}
}

// several makes a whole dump of several databases.
func (my *testMySQL) several(t *testing.T, m dump.Manifest, sql string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := dump.NewWriter(&b, note.Several)
	w.WriteString("-- " + note.Server + string(my.family) + " 10.0\n" + sql)
	if err := w.End(m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
