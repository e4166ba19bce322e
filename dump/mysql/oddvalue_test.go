package mysql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Values, counters and comments that their text alone does not bring back come back all the same.
func TestOddValues(t *testing.T) {
	my := testServer(t)
	db, byClient, natively := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	script := `SET sql_mode = '';
		CREATE TABLE t (k INT PRIMARY KEY, d DOUBLE(255,0), e ENUM('', 'p'), f ENUM('p', 'q') NOT NULL, b ENUM('x', 'y') CHARACTER SET binary, s SET('', 'q', 'r'));
		INSERT INTO t VALUES (1, 1e200, 'p', 'q', 'x', 'q,r'), (2, -1e90, '', 'nope', 'y', ''), (3, 12, 0, 'p', 0, 'r'), (4, NULL, NULL, 'p', NULL, NULL);
		SET sql_mode = 'NO_BACKSLASH_ESCAPES';
		CREATE PROCEDURE p() COMMENT 'a\b''\n"c' SELECT 'x\y' AS a;
		CREATE FUNCTION f(a ENUM('\x', 'b')) RETURNS INT DETERMINISTIC COMMENT '\' RETURN 1;
		CREATE PROCEDURE q() SELECT '
    COMMENT ''\\' AS a;
		CREATE EVENT ev ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DISABLE COMMENT 'e\f''g\\' DO SELECT 'a\\';
		`
	query := `SELECT k, CONCAT(d + 0e0), e + 0, f + 0, b + 0, HEX(b), s + 0 FROM t ORDER BY k;
		SELECT HEX(routine_comment), HEX(routine_definition) FROM information_schema.routines WHERE routine_schema = DATABASE() ORDER BY routine_name;
		SELECT HEX(event_comment) FROM information_schema.events WHERE event_schema = DATABASE()`
	if my.family == server.MariaDB {
		script += `CREATE SEQUENCE up START 100 MINVALUE 1; ALTER SEQUENCE up RESTART 5; CREATE SEQUENCE down START -100 INCREMENT -1 MINVALUE -200; ALTER SEQUENCE down RESTART -5;
			CREATE SEQUENCE round START 100 MINVALUE 1 CYCLE; ALTER SEQUENCE round RESTART 7; DO SETVAL(round, 7, 0, 3); CREATE SEQUENCE plain; DO SETVAL(plain, 41);`
		script += `CREATE TABLE g (k INT PRIMARY KEY, a INT); INSERT INTO g VALUES (1, 1), (2, 2); ALTER TABLE g ADD p POINT NOT NULL, ADD l LONGTEXT; UPDATE g SET p = POINT(1, 2) WHERE k = 2;
			INSERT INTO g (k, a, l) SELECT 3, 3, REPEAT('x', 4200000); INSERT INTO g (k, a) VALUES (4, 4), (5, 5);`
		query += "; SELECT k, a, HEX(p), LENGTH(l) FROM g ORDER BY k; SELECT * FROM up; SELECT * FROM down; SELECT * FROM round; SELECT * FROM plain"
	} else {
		script += `SET sql_mode = 'ALLOW_INVALID_DATES'; CREATE TABLE j (k INT PRIMARY KEY AUTO_INCREMENT, j JSON);
			INSERT INTO j (j) VALUES (CAST(CAST('2020-01-02' AS DATE) AS JSON)), (CAST(CAST('0000-00-00' AS DATE) AS JSON)), (CAST(-1.50 AS JSON)), (CAST(CAST('-10:11:12.5' AS TIME(1)) AS JSON)),
				(CAST(CAST('2020-01-02 03:04:05.678' AS DATETIME(3)) AS JSON)), ('"2020-01-02"'), ('1.5'), ('"DATE 2020-01-02"'), ('null'), (NULL), ('{"a": [1.50]}');`
		script += "SET sql_mode = ''; CREATE TABLE v (k INT PRIMARY KEY); INSERT INTO v VALUES (1), (2); ALTER TABLE v ADD e VECTOR(2) NOT NULL, ADD a INT; UPDATE v SET e = STRING_TO_VECTOR('[1,2]') WHERE k = 2;"
		query += "; SELECT k, HEX(e), a FROM v ORDER BY k; SELECT k, JSON_TYPE(j), j FROM j ORDER BY k"
	}
	my.client(t, db, []byte(script))
	stream := my.dump(t, Config{Databases: []string{db}})
	my.client(t, byClient, stream)
	if err := my.load(t, LoadConfig{Database: natively}, stream); err != nil {
		t.Fatal(err)
	}
	want := my.Query(t, db, query)
	if !strings.Contains(want, "1e200") {
		t.Fatalf("original: %s", want)
	}
	for how, restored := range map[string]string{"by the client": byClient, "natively": natively} {
		if diff := cmp.Diff(lines(want), lines(my.Query(t, restored, query))); diff != "" {
			t.Errorf("%s (-original +restored):\n%s", how, diff)
		}
	}
}

// Comments are read of the one program that has the name byte for byte, and written by its
// sql_mode, in its character set.
func TestOddValuesOfComments(t *testing.T) {
	my := testServer(t)
	db, natively := my.CreateDB(t), my.CreateDB(t)
	upper := strings.ToUpper(db)
	my.Query(t, "", "CREATE DATABASE "+upper)
	t.Cleanup(func() { my.Query(t, "", "DROP DATABASE "+upper) })
	script := "SET NAMES latin1; SET sql_mode = 'NO_BACKSLASH_ESCAPES'; CREATE PROCEDURE p() COMMENT 'gr\xf6\xdfe\\x' SELECT 'y\\z'; CREATE PROCEDURE q() COMMENT 'gr\xf6\xdfe' SELECT 'y\\z';" +
		"CREATE EVENT ev ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DISABLE COMMENT '\xf6\\' DO SELECT 1;" +
		"SET sql_mode = ''; CREATE PROCEDURE r() COMMENT 'gr\xf6\xdfe\\\\''x' SELECT '\xf6';"
	my.client(t, db, []byte(script))
	my.client(t, upper, []byte(script))
	if err := my.load(t, LoadConfig{Database: natively}, my.dump(t, Config{Databases: []string{db}})); err != nil {
		t.Fatal(err)
	}
	got := my.Query(t, "", "SELECT HEX(routine_comment) FROM information_schema.routines WHERE routine_schema = '"+natively+"' ORDER BY routine_name; SELECT HEX(event_comment) FROM information_schema.events WHERE event_schema = '"+natively+"'")
	if want := fmt.Sprintf("%X\n%X\n%X\n%X", `größe\x`, "größe", `größe\'x`, `ö\`); got != want {
		t.Errorf("the comments are %s, want %s", got, want)
	}
}

// Members of an ENUM that MariaDB does not show are named, with the number of rows; MySQL shows
// them.
func TestMembersThatAreNotShown(t *testing.T) {
	my := testServer(t)
	db, restored := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE t (k INT PRIMARY KEY, a ENUM(0xFF, 'y', 'z') CHARACTER SET binary); INSERT INTO t VALUES (1, 1), (2, 2), (3, 1), (4, NULL)")
	var warnings []string
	stream := my.dump(t, Config{Databases: []string{db}, Warn: func(text string) { warnings = append(warnings, text) }})
	if err := my.load(t, LoadConfig{Database: restored}, stream); err != nil {
		t.Fatal(err)
	}
	first := "FF"
	if my.family == server.MariaDB {
		first = "3F"
		if len(warnings) != 1 || !strings.Contains(warnings[0], "column a of "+db+".t") || !strings.Contains(warnings[0], "in 2 rows") {
			t.Errorf("warnings %q", warnings)
		}
	}
	if got := my.Query(t, restored, "SELECT a + 0, HEX(a) FROM t ORDER BY k"); got != "1\t"+first+"\n2\t79\n1\t"+first+"\nNULL\tNULL" {
		t.Errorf("restored: %s", got)
	}
}
