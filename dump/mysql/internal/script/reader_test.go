package script

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// scripts are what the clients can be given, by what is special about it. Those that the clients
// understand are compared with what the client at hand sends.
var scripts = []struct {
	name, script string
	mode         Mode
	ours         bool // no client reads it like that, which the package's comment tells
	mariadb      bool // MySQL's client does not
}{
	{name: "nothing"},
	{name: "empty statements", script: ";\n;;\nselect 1;;\n/* x */;\nselect 2;\n"},
	{name: "lines", script: "select 1,\n  2\n\n;select\n3; select 4 ;\n\n\nselect\n\n5\n;"},
	{name: "strings", script: `select 'a;b', "c;d", ` + "`a;b` from (select 1 `a;b`) x" + `;
select 'it''s; "', "a ""quote;"" '", '\'; ', "\"; ", '\\';
select 2;`},
	{name: "strings over lines", script: "select 'a\n;\n-- b\n# c\n/* d \n\\! e\n', \"\n--\n\";\nselect 2;"},
	{name: "backslash at the end of a line", script: "select 'a\\\n';\nselect 2;"},
	{name: "backslash in a name", script: "select 1 `a\\`; select 2;"},
	{name: "null", script: `select \N, '\N';select concat(\N);`},
	{name: "line comments", script: "select 1 -- a;'b\n+1;\nselect 2 # x;'y\n;select 3 --\n;select 4 --\t;\n; select 5 -- c"},
	{name: "no comment", script: "select 1--1; select 2 - -3;\nselect 4-\n-- x\n5;"},
	{name: "comments before", script: "-- a\n# b;\n/* c; */ select 1;-- d;\n#\n--\n/* 'e\n */ -- f\nselect 2; /**/ -- g"},
	{name: "dashes without a blank", script: "--a;\nselect 1;--'b;\n--/*\nselect 2;", mariadb: true},
	{name: "block comments", script: "select /* ; */ 1, 2/*'*/+3 /***/ /* \"` -- */;\nselect/*\n;\n*/4;select 5 / 6 * 7;"},
	{name: "conditional comments", script: "/*!40101 SET @a=@@SQL_MODE */;\n/*!50003 select 1 */ ;\n/*M!100100 select 2 */;\nselect 3 /*!50000 + 4 */, 5 /*!99999 ' ;' */;\n/*! select 6 */;"},
	{name: "comments in conditional ones", script: "select 1 /*!40000 + 2\n/* ; */ + 3 */;\nselect 4 /*!40000 + 5 -- ; */\n*/; select 6;"},
	{name: "comments in conditional ones, in one line", script: "select 1 /*!40000 + 2 /* ; */ + 3 */;\nselect 4;", ours: true},
	{name: "a delimiter in a conditional comment", script: "select 1 /*! + 1 ; */;\nselect 2;"},
	{name: "sandbox", script: "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n\n/*!40101 SET @a=1 */;\nselect 1;"},
	{name: "delimiters", script: "delimiter //\nselect 1; select 2//\nDELIMITER $$ more\nselect 3$$\n\t Delimiter  ;;\nselect 4;;select ';;', 5\n;;\ndelimiter \"//\"\nselect 6//\ndelimiter ;\nselect 7;"},
	{name: "a delimiter of letters", script: "delimiter End\nselect 1 as ENd End select 'End' as endEnd\ndelimiter d\nselect 1 d\ndelimiter ;\nselect 2;"},
	{name: "delimiters like comments", script: "delimiter --\nselect 1 -- select 2 --\ndelimiter #\nselect 3 #\ndelimiter /*\nselect 4 /*\ndelimiter */\nselect 5 */"},
	{name: "a routine", script: `DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=` + "`root`@`%`" + `*/ /*!50003 PROCEDURE p(a int)
BEGIN
  -- it's a comment;
  IF a > 1 THEN SELECT 'x;;y'; END IF; # more of it's
  /* and; "this */
END */;;
DELIMITER ;
/*!50003 SET sql_mode = @saved_sql_mode */ ;
`},
	{name: "use", script: "use mysql\nselect schema();\nuse mysql;select 1;\n use `mysql`; \nUSE  mysql \nselect 2;"},
	{name: "byte order mark", script: "\ufeffselect 1;\n\ufeff"},
	{name: "no backslash escapes", script: `select '\', "\", ';'; select '\\'';';`, mode: NoBackslashEscapes},
	{name: "ANSI quotes", script: `select 1 "a\", '\';'; select 2 "b;"";";`, mode: ANSIQuotes, mariadb: true},
	{name: "dollar quotes", script: "create function f() returns int language javascript as $$\n// it's one;\n\\! $$; select 1;\nselect $a_1$ $A_1$; $a_1$; select 2;", mode: MySQL | DollarQuotes},
	{name: "dollars after others", script: "select $$a;b$$$$c;d$$; select 'x'$$;$$; select 1$$; select é$$; select `a`$$;$$; select @$$;$$;", mode: MySQL | DollarQuotes},
	{name: "dollars that are no quotes", script: "select $a ; select $a b$ ; select $a$ ; x$a$ ; delimiter $$\nselect $a$ ;$$; $a$ $$ select 3 $$", mode: MySQL | DollarQuotes},
	{name: "dollars to others", script: "select $$; select 1, $a$; select '$$;'$$", mode: MySQL, ours: true},
	{name: "UTF-8", script: "select 'ä;€', 1 `ö;ß`; -- ü\nselect '日本\\'語;';"},
	{name: "carriage returns", script: "-- a\r\nselect 1,\r\n2;\r\n\r\ndelimiter //\r\nselect 3//\r\ndelimiter ;\r\nselect 4;\r\nuse mysql\r\n"},

	{name: "unfinished statement", script: "select 1;\nselect\n2 -- x;\n"},
	{name: "unfinished string", script: "select 1;\nselect\n'2;\n\n"},
	{name: "unfinished escape", script: `select '2;\`},
	{name: "unfinished dollar quote", script: "select 1;\nselect $a$ ; a$;\n", mode: MySQL | DollarQuotes},
	{name: "unfinished name", script: "select 1;\nselect `2;"},
	{name: "unfinished comment", script: "select 1 /* 2;\n*"},
	{name: "unfinished comment before", script: "\n/* select 1;\n"},
	{name: "unfinished conditional comment", script: "/*!40101 select 1;\n"},
	{name: "source", script: "select 1;\n source /etc/passwd\n"},
	{name: "system", script: "select 1; System echo ho;\n"},
	{name: "backslash", script: "select 1;\n\n\\! echo ho\n"},
	{name: "backslash within", script: "select 1\n/*!99999 x \\! */;"},
	{name: "go", script: "select 1\\g"},
	{name: "a lone backslash", script: "select 1 \\"},
	{name: "help", script: "help"},
	{name: "delimiter within a line", script: "select 1; delimiter //\nselect 2//"},
	{name: "no delimiter", script: "delimiter\n"},
	{name: "a bad delimiter", script: "delimiter \\x\n"},
	{name: "a delimiter with a quote", script: "delimiter a'b\n"},
	{name: "a long delimiter", script: "delimiter 1234567890123456\n"},
	{name: "a foreign delimiter", script: "delimiter §\n"},
}

func TestReaderAsReference(t *testing.T) {
	for _, tt := range scripts {
		t.Run(tt.name, func(t *testing.T) {
			for n := range len(tt.script) + 1 {
				for _, buffer := range []int{1, 7, 64, bufferSize} {
					if err := difference(tt.script[:n], tt.mode, buffer); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

func TestReaderItems(t *testing.T) {
	const dump = `/*M!999999\- enable the sandbox mode */ 
-- MariaDB dump 10.19
--
/*!40101 SET NAMES utf8mb4 */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

CREATE TABLE t (
  i int -- not much
) ;
INSERT INTO t VALUES
(1),
(2);
delimiter //
set sql_mode = ''//
# done
`
	r := NewReader(strings.NewReader(dump), 0)
	for _, want := range []Item{
		{Comment, 2, []byte("-- MariaDB dump 10.19"), false},
		{Comment, 3, []byte("--"), false},
		{Statement, 4, []byte("/*!40101 SET NAMES utf8mb4 */"), false},
		{Statement, 5, []byte("/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */"), false},
		{Statement, 7, []byte("CREATE TABLE t (\n  i int -- not much\n)"), false},
		{Statement, 10, []byte("INSERT INTO t VALUES\n(1),\n(2)"), false},
		{Statement, 14, []byte("set sql_mode = ''"), true},
		{Comment, 15, []byte("# done"), false},
	} {
		got, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	for range 2 {
		if it, err := r.Next(); err != io.EOF {
			t.Errorf("at the end: %v, %v", it, err)
		}
	}
}

// Errors say where, what, and whether the script was cut off.
func TestReaderErrors(t *testing.T) {
	for _, tt := range []struct {
		script, want string
		cut          bool
	}{
		{"select 1;\n\nselect\n2", "line 3: unterminated statement", true},
		{"select 1;\nselect\n'2;\n\n", "line 3: unterminated string", true},
		{"select\n`2;", "line 2: unterminated name", true},
		{"select\n1 /* 2;\n*", "line 2: unterminated comment", true},
		{"\n/* select 1;\n", "line 2: unterminated comment", true},
		{"select 1 -- x;\n", "line 1: unterminated statement", true},
		{"select 1;\n\\! echo ho\n", `line 2: the client's command "\\!" is not supported`, false},
		{"select 1;\nselect\n1\\G", `line 3: the client's command "\\G" is not supported`, false},
		{"select 1;\nSource x\n", "line 2: the client's command source is not supported", false},
		{"select 1; tee x;\n", "line 1: the client's command tee is not supported", false},
		{"\ndelimiter\n", "line 2: DELIMITER: no delimiter", false},
		{"delimiter '\n", "line 1: DELIMITER: unterminated quote", false},
		{"delimiter ''\n", `line 1: DELIMITER: "" is not 1 to 15 bytes long`, false},
		{"delimiter \\\n", "line 1: DELIMITER: \"\\\\\" has a blank, a quote, a backslash or a letter that is not ASCII", false},
		{"select 1; delimiter //\n", "line 1: DELIMITER must begin its line", false},
	} {
		_, err := read(tt.script, 0)
		if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, io.ErrUnexpectedEOF) != tt.cut {
			t.Errorf("%q: %v, want %s", tt.script, err, tt.want)
		}
	}
	broken := errors.New("connection lost")
	for _, script := range []string{"", "select 1;\n", "select 1;\nselect '", "-- x", "/* ", "use x", "delimiter x"} {
		_, err := readAll(NewReader(io.MultiReader(strings.NewReader(script), iotest.ErrReader(broken)), 0))
		if !errors.Is(err, broken) {
			t.Errorf("%q and then an error: %v", script, err)
		}
	}
	r := newReader(strings.NewReader("select 1;\nselect '"+strings.Repeat("x", 2000)+"';"), make([]byte, 64), 0)
	r.limit = 1000
	if steps, err := readAll(r); len(steps) != 1 || err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
		t.Errorf("a statement that is too long: %v, %v", steps, err)
	}
}

// The mode can change between two statements.
func TestReaderSetMode(t *testing.T) {
	r := NewReader(strings.NewReader(`/*!50003 SET sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES' */;select '\';select "\";SET SESSION SQL_MODE='';select '\';';`), 0)
	var got []string
	for {
		it, err := r.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(it.Text))
		if it.SetsMode {
			_, value, _ := strings.Cut(string(it.Text), "'")
			value, _, _ = strings.Cut(value, "'")
			r.SetMode(SQLMode(value))
		}
	}
	want := []string{`/*!50003 SET sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES' */`, `select '\'`, `select "\"`, `SET SESSION SQL_MODE=''`, `select '\';'`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// To MySQL /*M! is a comment, to MariaDB it may be a statement.
func TestReaderMySQL(t *testing.T) {
	const script = "/*M!100100 it's */ select 1;/*M! x */;"
	steps, err := read(script, MySQL)
	if fmt.Sprint(steps) != "[{0 1 select 1}]" || err != nil {
		t.Errorf("MySQL: %v, %v", steps, err)
	}
	if steps, err := read(script, 0); err == nil {
		t.Errorf("MariaDB: %v", steps)
	}
}

// A long statement takes room while it is read, and no longer.
func TestReaderGivesBack(t *testing.T) {
	long := "select '" + strings.Repeat("x", 3*keepSize) + "'"
	r := NewReader(strings.NewReader("select 1;"+long+";select 2;"), 0)
	for _, want := range []string{"select 1", long, "select 2"} {
		it, err := r.Next()
		if err != nil || string(it.Text) != want {
			t.Fatalf("%.20q of %d bytes: %v", it.Text, len(it.Text), err)
		}
	}
	if len(r.buf) != bufferSize {
		t.Errorf("the buffer has %d bytes", len(r.buf))
	}
}
