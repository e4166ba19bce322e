package mysql

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// hostileNames are what owners may call things, and write in comments and strings. Not among them
// is a line's end of two bytes, of which the clients make one, unless --binary-mode is given.
var hostileNames = []string{
	"a`b", "a'b", `a"b`, `a\`, `a\'b`, "a;b", "a;\nDROP TABLE x; -- x", "\\! touch mark", "x\n\\! touch mark\n;", "\nsystem touch mark\n;",
	"v\n-- table \"x\" rows 5 hash 0", "v\n-- breaking-backups end 0", "v\r-- table x", "*/ /* /*! */", "delimiter ;;", "DELIMITER //\n//",
	"$(touch mark)", "\x1b[2J\a", "ünï \u2028 x", "%s%d", "/*M!999999\\- x */", "-- statement for breaking-backups alone \"DO 1\"",
}

// Whatever owners call their things: no command runs, and all are what they were, by the client and
// natively.
func TestHostileNames(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db := my.CreateDB(t)
	conn, err := my.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exec := func(format string, args ...any) {
		t.Helper()
		if err := conn.Exec(t.Context(), fmt.Sprintf(format, args...)); err != nil {
			t.Fatal(err)
		}
	}
	exec("SET NAMES utf8mb4")
	exec("SET sql_mode = ''")
	exec("USE %s", quote.Name(db))
	for i, name := range hostileNames {
		q, text := quote.Name(name), quote.Literal(name)
		exec("CREATE TABLE %[1]s (%[1]s INT PRIMARY KEY COMMENT %[2]s, b VARCHAR(99) DEFAULT %[2]s, KEY %[1]s (b), CONSTRAINT %[1]s CHECK (b <> %[2]s)) COMMENT %[2]s", q, text)
		exec("INSERT INTO %s VALUES (1, CONCAT(%s, 'x'))", q, text)
		exec("CREATE VIEW %s AS SELECT %s AS %s, %s AS x FROM %s", quote.Name("v"+name), q, q, text, q)
		exec("CREATE TRIGGER %s BEFORE INSERT ON %s FOR EACH ROW SET NEW.b = %s", q, q, text)
		exec("CREATE PROCEDURE %s(%s INT) COMMENT %s BEGIN SELECT %s; END", q, q, text, text)
		exec("CREATE FUNCTION %s() RETURNS INT DETERMINISTIC COMMENT %s RETURN 1", q, text)
		exec("CREATE EVENT %s ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DISABLE COMMENT %s DO SELECT %s", q, text, text)
		exec("CREATE TABLE gone%d (a INT)", i)
		exec("CREATE VIEW %s AS SELECT a AS %s FROM gone%d", quote.Name("i"+name), q, i)
		exec("DROP TABLE gone%d", i)
		if my.family == server.MariaDB {
			exec("CREATE SEQUENCE %s", quote.Name("s"+name))
		}
	}
	my.restoredAlike(t, db, func(warnings []string) {
		if len(warnings) != len(hostileNames) { // of views that are invalid
			t.Errorf("%d warnings %q, want %d", len(warnings), warnings, len(hostileNames))
		}
	})
}

// restoredAlike restores a database by the client and natively, neither of which runs a command,
// and compares dumps.
func (my *testMySQL) restoredAlike(t *testing.T, db string, check func(warnings []string)) {
	t.Helper()
	var warnings []string
	stream := my.dump(t, Config{Databases: []string{db}, Warn: func(text string) {
		if !strings.Contains(text, "has it, as to show it") {
			warnings = append(warnings, text)
		}
	}})
	check(warnings)
	byClient, natively := my.CreateDB(t), my.CreateDB(t)
	cmd := my.Command(my.Client, "--comments", "--database="+byClient)
	cmd.Dir, cmd.Stdin = t.TempDir(), bytes.NewReader(stream)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("by the client: %v: %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(cmd.Dir, "mark")); err == nil {
		t.Error("the client ran a command")
	}
	if err := my.load(t, LoadConfig{Database: natively}, stream); err != nil {
		t.Fatalf("natively: %v", err)
	}
	original, _ := parts(t, stream)
	for how, restored := range map[string]string{"by the client": byClient, "natively": natively} {
		again := my.dump(t, Config{Databases: []string{restored}, Warn: func(string) {}})
		if got, _ := parts(t, again); !cmp.Equal(original, got) {
			t.Errorf("%s: another database: %s", how, cmp.Diff(original, got))
		}
	}
}

// Text in character sets that hold the bytes of quotes in their letters is what it was, and a dump
// of it has one meaning to all who read it.
func TestMultibyteText(t *testing.T) {
	my := testServer(t)
	for set, letter := range map[string]string{"sjis": "\x95\x5c", "cp932": "\x95\x5c", "gbk": "\x95\x5c", "big5": "\xa5\x5c", "latin1": "\xe4", "utf8mb4": "表"} {
		if my.Query(t, "", "SELECT COUNT(*) FROM information_schema.character_sets WHERE character_set_name = '"+set+"'") == "0" {
			continue
		}
		t.Run(set, func(t *testing.T) {
			db := my.CreateDB(t)
			conn, err := my.connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for _, sql := range []string{
				"USE " + db, "SET NAMES " + set, "CREATE TABLE x (a INT PRIMARY KEY)", "INSERT INTO x VALUES (1)",
				"CREATE VIEW v AS SELECT '" + letter + "' AS a, '; create table forged(a int); -- ' AS b FROM x",
				"CREATE PROCEDURE p() SELECT '" + letter + "' AS a, '; create table forged(a int); -- ' AS b",
				"CREATE TRIGGER tr BEFORE DELETE ON x FOR EACH ROW SET @a = '" + letter + "', @b = '; create table forged(a int); -- '",
				"CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DISABLE DO SELECT '" + letter + "', '; create table forged(a int); -- '",
				"SET NAMES utf8mb4",
			} {
				if err := conn.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			var want string
			if err := conn.Row(t.Context(), "SELECT HEX(CONVERT(CONVERT(0x"+fmt.Sprintf("%X", letter)+" USING "+set+") USING utf8mb4))", &want); err != nil {
				t.Fatal(err)
			}
			stream := my.dump(t, Config{Databases: []string{db}, Warn: func(text string) { t.Log(text) }})
			byClient, natively := my.CreateDB(t), my.CreateDB(t)
			my.client(t, byClient, stream)
			if err := my.load(t, LoadConfig{Database: natively}, stream); err != nil {
				t.Fatal(err)
			}
			for how, restored := range map[string]string{"by the client": byClient, "natively": natively} {
				if got := my.Query(t, restored, "SELECT HEX(CONVERT(a USING utf8mb4)), b FROM v"); got != want+"\t; create table forged(a int); -- " {
					t.Errorf("%s: the view has %s", how, got)
				}
				out := my.Query(t, restored, "CALL p()")
				if !strings.HasSuffix(out, "\t; create table forged(a int); -- ") {
					t.Errorf("%s: the procedure returns %q", how, out)
				}
				if my.Query(t, restored, "SHOW TABLES LIKE 'forged'") != "" {
					t.Errorf("%s: there is a table forged", how)
				}
			}
		})
	}
}

// What clients would not read as one statement does not cost the dump: a restore of this program
// has it byte for byte.
func TestNotForClients(t *testing.T) {
	my := testServer(t)
	db, byClient, natively := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	conn, err := my.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	zero := "CREATE PROCEDURE zero() SELECT 'a\x00b'"
	for _, sql := range []string{"USE " + db, "CREATE TABLE t (a INT)", zero, "CREATE PROCEDURE all_of_them() BEGIN SELECT ';; // $$ %% @@ ^^ || !!'; SELECT 1; /* ;; // $$ %% @@ ^^ || !! */ END"} {
		if err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var warnings []string
	stream := my.dump(t, Config{Databases: []string{db}, Warn: func(text string) { warnings = append(warnings, text) }})
	if len(warnings) != 1 || !strings.Contains(warnings[0], "procedure "+db+".zero") {
		t.Errorf("warnings %q, want one of the procedure zero", warnings)
	}
	my.client(t, byClient, stream)
	if got := my.Query(t, byClient, "SELECT GROUP_CONCAT(routine_name ORDER BY 1) FROM information_schema.routines WHERE routine_schema = DATABASE()"); got != "all_of_them" {
		t.Errorf("by the client: %s", got)
	}
	if err := my.load(t, LoadConfig{Database: natively}, stream); err != nil {
		t.Fatal(err)
	}
	if again := my.dump(t, Config{Databases: []string{natively}, Warn: func(string) {}}); my.family == server.MySQL {
		// It has lost the text behind the zero byte itself, and cannot run the procedure.
		if bytes.Contains(again, []byte("PROCEDURE `zero`")) {
			t.Error("natively: there is a procedure without an end")
		}
	} else if !bytes.Equal(stream, again) || !bytes.Contains(again, []byte(`SELECT 'a\x00b'`)) {
		t.Errorf("natively: another dump:\n%s", cmp.Diff(lines(string(stream)), lines(string(again))))
	}
}

// Databases and objects whose names differ only in case or accents are each what they are, in a
// dump and after it.
func TestNamesThatCompareEqual(t *testing.T) {
	my := testServer(t)
	if my.Query(t, "", "SELECT @@lower_case_table_names") != "0" {
		t.Skip("the server takes names that differ only in case for one")
	}
	my.trustCreators(t)
	base := my.CreateDB(t)
	names := []string{base + "_cafe", base + "_café", base + "_CAFE", "SYS"}
	for i, db := range names {
		my.Query(t, "", "CREATE DATABASE "+quote.Name(db))
		t.Cleanup(func() { my.Query(t, "", "DROP DATABASE IF EXISTS "+quote.Name(db)) })
		my.Query(t, db, fmt.Sprintf(`CREATE TABLE t (a INT PRIMARY KEY, b%[1]d INT, KEY k (b%[1]d)); CREATE TABLE T (a BIGINT PRIMARY KEY); CREATE TABLE part%[1]d (a INT);
			INSERT INTO t VALUES (%[1]d, %[1]d); INSERT INTO T VALUES (%[1]d0);
			CREATE VIEW v AS SELECT b%[1]d FROM t; CREATE VIEW V AS SELECT a FROM T;
			CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.b%[1]d = %[1]d;
			CREATE PROCEDURE p() SELECT %[1]d; CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN %[1]d;
			CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DISABLE DO SELECT %[1]d`, i))
	}
	if my.family == server.MariaDB {
		my.Query(t, names[0], "CREATE SEQUENCE s START 5")
		my.Query(t, names[2], "CREATE SEQUENCE s START 7")
	}
	first, second := my.dump(t, Config{Databases: names[:1]}), my.dump(t, Config{Databases: names[1:2]})
	all := my.dump(t, Config{Databases: names})
	// One goes into an empty database whose likes are full.
	twin := base + "_Cafe"
	my.Query(t, "", "CREATE DATABASE "+twin)
	t.Cleanup(func() { my.Query(t, "", "DROP DATABASE "+twin) })
	if err := my.load(t, LoadConfig{Database: twin}, second); err != nil {
		t.Error(err)
	} else if again := my.dump(t, Config{Databases: []string{twin}}); !bytes.Equal(again, second) {
		t.Errorf("%s is another database: %s", twin, cmp.Diff(lines(string(second)), lines(string(again))))
	}
	// One is emptied, and all are replaced, and nothing of the others is touched.
	if err := my.load(t, LoadConfig{Database: names[0], Clean: true}, first); err != nil {
		t.Fatal(err)
	}
	if again := my.dump(t, Config{Databases: names}); !bytes.Equal(all, again) {
		t.Errorf("after one was restored: %s", cmp.Diff(lines(string(all)), lines(string(again))))
	}
	if err := my.load(t, LoadConfig{Clean: true}, all); err != nil {
		t.Fatal(err)
	}
	if again := my.dump(t, Config{Databases: names}); !bytes.Equal(all, again) {
		t.Errorf("after all were replaced: %s", cmp.Diff(lines(string(all)), lines(string(again))))
	}
}
