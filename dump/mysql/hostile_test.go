package mysql

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// hostile is what the owner of a database can put into it to have code of his run by whoever looks
// at it. What runs leaves a trace, by whose rights it ran.
const hostile = `CREATE TABLE trace (who VARCHAR(200), what VARCHAR(100)) ENGINE=MyISAM;
CREATE FUNCTION txt(what VARCHAR(100), value VARCHAR(100)) RETURNS VARCHAR(100) DETERMINISTIC SQL SECURITY INVOKER BEGIN INSERT INTO trace VALUES (CURRENT_USER(), what); RETURN value; END//
CREATE FUNCTION num(what VARCHAR(100), value INT) RETURNS INT DETERMINISTIC SQL SECURITY INVOKER BEGIN INSERT INTO trace VALUES (CURRENT_USER(), what); RETURN value; END//
CREATE FUNCTION own(what VARCHAR(100), value INT) RETURNS INT DETERMINISTIC SQL SECURITY DEFINER BEGIN INSERT INTO trace VALUES (CURRENT_USER(), what); RETURN value; END//
CREATE FUNCTION changing(what VARCHAR(100), value INT) RETURNS INT NOT DETERMINISTIC SQL SECURITY INVOKER BEGIN INSERT INTO trace VALUES (CURRENT_USER(), what); RETURN value; END//
CREATE TABLE plain (a INT PRIMARY KEY, b INT CHECK (b > 0), c INT AS (a + 1) VIRTUAL, d INT AS (a * 2) STORED, e VARCHAR(40) DEFAULT (CONCAT('x', 1)), KEY (b));
CREATE TABLE aria (a INT NOT NULL, KEY (a)) ENGINE=MyISAM;
CREATE TABLE name_of_both (a INT);
CREATE SQL SECURITY INVOKER VIEW NAME_of_both AS SELECT ROUND(1.5, num('a name of another case', 1)) AS a;
CREATE TRIGGER acts BEFORE INSERT ON plain FOR EACH ROW SET NEW.b = num('trigger', NEW.b)//
CREATE EVENT happens ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DO INSERT INTO trace VALUES (CURRENT_USER(), 'event');
INSERT INTO plain (a, b) VALUES (1, 1), (2, 2);
INSERT INTO aria VALUES (1);
CREATE SEQUENCE counts;
CREATE SQL SECURITY INVOKER VIEW harmless AS SELECT a, b FROM plain;
CREATE SQL SECURITY INVOKER VIEW on_changing AS SELECT ROUND(1.5, changing('changing', 1)) AS a, changing('changing', a) AS b FROM plain;
CREATE SQL SECURITY DEFINER VIEW of_owner AS SELECT ROUND(1.5, own('own', 1)) AS a, ROUND(1.5, num('definer', 1)) AS b;
`

// expressions are such as the server evaluates on opening a view.
var expressions = []string{
	"ROUND(1.5, num('%[1]s', 1))", "TRUNCATE(1.5, num('%[1]s', 1))", "REPEAT('a', num('%[1]s', 3))", "LPAD('a', num('%[1]s', 3), 'b')",
	"SUBSTR('abc', num('%[1]s', 2))", "'a' LIKE 'b' ESCAPE txt('%[1]s', 'x')", "'a' REGEXP txt('%[1]s', 'x')", "STR_TO_DATE('2000', txt('%[1]s', '%%Y'))",
	"DATE_FORMAT('2000-01-01', txt('%[1]s', '%%Y'))", "CONVERT(txt('%[1]s', 'x') USING latin1)", "EXTRACTVALUE('<a/>', txt('%[1]s', '/a'))",
	"ROW(num('%[1]s', 1), 2) = ROW(1, 2)", "1 IN (1, num('%[1]s', 2))", "JSON_SEARCH('{}', 'one', 'a', txt('%[1]s', '|'))", "(SELECT txt('%[1]s', 'x'))",
	"ROUND(1.5, own('%[1]s', 1))",
}

// trustCreators lets owners make functions, as a server without a binary log does.
func (my *testMySQL) trustCreators(t *testing.T) {
	t.Helper()
	my.Query(t, "", "SET GLOBAL log_bin_trust_function_creators = 1")
	t.Cleanup(func() { my.Query(t, "", "SET GLOBAL log_bin_trust_function_creators = 0") })
}

func (my *testMySQL) hostileDB(t *testing.T) (db string, owner Server) {
	t.Helper()
	if my.family != server.MariaDB {
		t.Skip("MySQL evaluates nothing of a view that is only shown")
	}
	my.trustCreators(t)
	db = my.CreateDB(t)
	owner = my.user(t, "ALL ON "+quote.Name(db)+".*")
	var script strings.Builder
	script.WriteString("DELIMITER //\n" + strings.ReplaceAll(strings.ReplaceAll(hostile, ";\nCREATE", "//\nCREATE"), ";\nINSERT", "//\nINSERT"))
	for i, e := range expressions {
		name := fmt.Sprintf("v%02d", i)
		fmt.Fprintf(&script, "//\nCREATE SQL SECURITY INVOKER VIEW %s AS SELECT %s AS a", name, fmt.Sprintf(e, name))
		fmt.Fprintf(&script, "//\nCREATE SQL SECURITY INVOKER VIEW on_v%02d AS SELECT x.a FROM v%02[1]d AS x", i)
	}
	script.WriteString("//\n")
	// As the owner, so that all is his.
	cmd := my.Command(my.Client, "--host="+owner.Host, fmt.Sprint("--port=", owner.Port), "--protocol=tcp", "--user="+owner.User, "--password="+owner.Password, "--database="+db)
	my.run(t, []byte(script.String()), cmd)
	my.Query(t, db, "DELETE FROM trace")
	return db, owner
}

// Nothing that a database's owner wrote runs in a backup: neither with its rights, nor with his
// own, which could at least keep it waiting.
func TestHostileOwner(t *testing.T) {
	my := testServer(t)
	db, _ := my.hostileDB(t)
	enough, several := my.rights()
	for name, account := range map[string]Server{"root": my.address, "the least rights": my.user(t, append(enough, several...)...)} {
		for _, databases := range [][]string{{db}, nil} {
			for range 2 { // the first may find all the server's caches empty
				stream := my.dump(t, Config{Server: account, Databases: databases, Warn: func(string) {}})
				if trace := my.Query(t, db, "SELECT DISTINCT who, what FROM trace"); trace != "" {
					t.Fatalf("%s, databases %q: this ran, by whose rights:\n%s", name, databases, trace)
				}
				if got := bytes.Count(stream, []byte("\nCREATE OR REPLACE ")); got < 2*len(expressions)+4 {
					t.Errorf("%s, databases %q: %d views in the dump", name, databases, got)
				}
			}
		}
		if _, err := my.source(t, Config{Server: account, AllowEmpty: true}).Survey(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if trace := my.Query(t, db, "SELECT DISTINCT who, what FROM trace"); trace != "" {
		t.Errorf("this ran:\n%s", trace)
	}
}

// A name that was a table's when the definitions were read may be a view's when the rows are. It is
// not read.
func TestTablesThatBecomeViews(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	for name, table := range map[string]string{
		"by key":    "CREATE TABLE z (a INT PRIMARY KEY) ENGINE=InnoDB",
		"by none":   "CREATE TABLE z (a INT) ENGINE=InnoDB",
		"of MyISAM": "CREATE TABLE z (a INT PRIMARY KEY) ENGINE=MyISAM",
	} {
		t.Run(name, func(t *testing.T) {
			db := my.CreateDB(t)
			my.client(t, db, []byte(`CREATE TABLE trace (who VARCHAR(200)) ENGINE=MyISAM;
				CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, b LONGBLOB);
				INSERT INTO a (b) VALUES (REPEAT('x', 2000000)); INSERT INTO a (b) SELECT b FROM a; INSERT INTO a (b) SELECT b FROM a; INSERT INTO a (b) SELECT b FROM a; `+table+`;
				DELIMITER //
				CREATE FUNCTION f() RETURNS INT NOT DETERMINISTIC SQL SECURITY INVOKER BEGIN INSERT INTO trace VALUES (CURRENT_USER()); RETURN 1; END//
				`))
			w := &changingWriter{change: func() { my.Query(t, db, "DROP TABLE z; CREATE SQL SECURITY INVOKER VIEW z AS SELECT f() AS a") }}
			err := my.source(t, Config{Databases: []string{db}, Jobs: 1}).Dump(t.Context(), w)
			if w.change != nil {
				t.Fatal("the dump was over before the change")
			}
			if !errors.Is(err, catalog.ErrChanged) {
				t.Errorf("error %v, want %v", err, catalog.ErrChanged)
			}
			if trace := my.Query(t, db, "SELECT DISTINCT who FROM trace"); trace != "" {
				t.Errorf("its function ran as %s", trace)
			}
		})
	}
}

// Views that are not opened are in the dump all the same.
func TestViewsByTheirText(t *testing.T) {
	my := testServer(t)
	if my.family != server.MariaDB {
		t.Skip("MySQL evaluates nothing of a view that is only shown")
	}
	db, byClient, natively := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	my.client(t, db, []byte("CREATE TABLE t (a INT, b VARCHAR(20), `o``dd` INT); CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN 2 * x;\n"+
		"CREATE VIEW v1 AS SELECT a, twice(a) AS d, 'it''s \\\\ `t`.`' AS s, `o``dd`, CONCAT(b, 'ü') AS c FROM t WHERE b = ', from ';\n"+
		"CREATE VIEW v2 (q, `r``s`) AS (SELECT 1, twice(2)) UNION SELECT a, twice(3) FROM t;\n"+
		"CREATE VIEW v3 AS WITH RECURSIVE r(z) AS (SELECT 1 UNION ALL SELECT z + 1 FROM r WHERE z < 3) SELECT *, twice(z) FROM r;\n"+
		"CREATE ALGORITHM=MERGE DEFINER='a@b'@'%' SQL SECURITY INVOKER VIEW v4 AS SELECT a, b FROM t WHERE a > twice(1) WITH LOCAL CHECK OPTION;\n"+
		"CREATE VIEW v5 AS SELECT v1.a, t.b, (SELECT MAX(a) FROM t) FROM v1 JOIN t ON t.a = v1.d ORDER BY 1 LIMIT 3;\n"+
		"CREATE VIEW v6 AS VALUES (1, twice(2));\n"+
		"SET NAMES latin1; CREATE VIEW v7 AS SELECT twice(4) AS x, 'abc' AS y;\n"))
	stream := my.dump(t, Config{Databases: []string{db}, Warn: func(string) {}})
	my.client(t, byClient, stream)
	if err := my.load(t, LoadConfig{Database: natively}, stream); err != nil {
		t.Fatal(err)
	}
	original := lines(my.mysqldump(t, db))
	for _, restored := range []string{byClient, natively} {
		if diff := cmp.Diff(original, lines(my.mysqldump(t, restored))); diff != "" {
			t.Errorf("mysqldump tells the restored database from the original (-original +restored):\n%s", diff)
		}
	}
	for _, name := range []string{"v1", "v2", "v3", "v4", "v5", "v7"} {
		text := my.Query(t, "", "SELECT view_definition FROM information_schema.views WHERE table_schema = "+quote.Literal(db)+" AND table_name = "+quote.Literal(name))
		fields := my.Query(t, "", "SELECT column_name FROM information_schema.columns WHERE table_schema = "+quote.Literal(db)+" AND table_name = "+quote.Literal(name)+" ORDER BY ordinal_position")
		names, ok := catalog.SelectedNames(strings.ReplaceAll(text, `\\`, `\`)) // the client has put backslashes in
		if got := strings.Join(names, "\n"); !ok || got != fields {
			t.Errorf("%s: columns %q, want %q, of %s", name, got, fields, text)
		}
	}
}
