package script

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTerminated(t *testing.T) {
	for _, tt := range []struct {
		sql, want string
		mode      Mode
	}{
		{sql: "CREATE TABLE t (a int)", want: ";\n"},
		{sql: "CREATE TABLE t (a text COMMENT 'a;b''c\\'')", want: ";\n"},
		{sql: "CREATE TABLE `a;\\` (a int)", want: ";\n"},
		{sql: "CREATE VIEW v AS SELECT 1 /* ; */, /*!50000 2 */", want: ";\n"},
		{sql: "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END", want: ";;"},
		{sql: "CREATE PROCEDURE p() SELECT ';;' -- it's; this", want: ";;"},
		{sql: "CREATE PROCEDURE p() BEGIN SELECT 1;; END", want: "//"},
		{sql: "CREATE PROCEDURE p() BEGIN ;; // $$ %% @@ END", want: "^^"},
		{sql: "CREATE PROCEDURE p() SELECT '\\', ';'", want: ";\n", mode: NoBackslashEscapes},
		{sql: "CREATE PROCEDURE p() SELECT \"a\\\"';'", want: ";\n", mode: ANSIQuotes},
		{sql: "CREATE PROCEDURE p() /*M! it's */ SELECT 1", want: ";\n", mode: MySQL},
	} {
		got, err := Terminated(tt.sql, tt.mode)
		begin, end := "", tt.sql+";\n"
		if tt.want != ";\n" {
			begin, end = "DELIMITER "+tt.want+"\n", tt.sql+"\n"+tt.want+"\nDELIMITER ;\n"
		}
		if err != nil || got != begin+end {
			t.Errorf("%s: %v, %s", tt.sql, err, got)
		}
	}
	for _, tt := range []struct{ sql, want string }{
		{"", "no statement"},
		{"-- x", "a comment before the statement"},
		{"-- x\nSELECT 1", "a comment before the statement"},
		{"/* x */ SELECT 1", "a comment before"},
		{"SELECT 'a", "line 1: unterminated string"},
		{"SELECT 1\n/* 2", "line 2: unterminated comment"},
		{"SELECT /*! \\! x */ 1", `line 1: the client's command "\\!" is not supported`},
		{"SELECT /*M! it's */ 1", "unterminated string"},
		{"source x", "the client's command source"},
		{"DELIMITER x", "unterminated statement"},
		{"SELECT '\x00'", "a zero byte"},
		{"SELECT ;; // $$ %% @@ ^^ || !!", "more than one statement"},
	} {
		if got, err := Terminated(tt.sql, 0); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %q; want %s", tt.sql, err, got, tt.want)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		name, sql string
		limit     int
		want      []string
	}{
		{"short", "INSERT INTO t VALUES (1),(2)", 100, []string{"INSERT INTO t VALUES (1),(2)"}},
		{"by one", "INSERT INTO t VALUES (1),(2) , (3)", 10, []string{"INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (3)"}},
		{"by two", "INSERT INTO t VALUES (1),\n(2),\n(3)", 29, []string{"INSERT INTO t VALUES (1),\n(2)", "INSERT INTO t VALUES (3)"}},
		{"exactly", "INSERT INTO t VALUES (1),\n(2),\n(3)", 34, []string{"INSERT INTO t VALUES (1),\n(2),\n(3)"}},
		{"columns", "replace into `values(` (`a`, b)values(1,')'),(f((2),\"),(\"),-1)", 50, []string{"replace into `values(` (`a`, b)values(1,')')", "replace into `values(` (`a`, b)values(f((2),\"),(\"),-1)"}},
		{"escapes", `INSERT INTO t VALUES ('\'),('),(\N,'''),(')`, 10, []string{`INSERT INTO t VALUES ('\'),(')`, `INSERT INTO t VALUES (\N,'''),(')`}},
		{"a name", "INSERT INTO allvalues (a) VALUES (1),(2)", 10, []string{"INSERT INTO allvalues (a) VALUES (1)", "INSERT INTO allvalues (a) VALUES (2)"}},
		{"a tail", "INSERT INTO t VALUES (1),(2) ON DUPLICATE KEY UPDATE a = VALUES(a)", 10, nil},
		{"a comment", "INSERT INTO t VALUES (1),/*,*/(2)", 10, nil},
		{"another comment", "INSERT INTO t VALUES (1), -- (3),\n(2)", 10, nil},
		{"a query", "INSERT INTO t SELECT 1, 2 FROM (VALUES (1),(2)) x", 10, nil},
		{"no rows", "INSERT INTO t SET a = 1, b = (2)", 10, nil},
		{"no insert", "SELECT * FROM (VALUES (1),(2)) x", 10, nil},
		{"values", "VALUES (1),(2)", 10, nil},
	} {
		var got []string
		for part := range Split([]byte(tt.sql), tt.limit, 0) {
			got = append(got, string(part))
		}
		want := tt.want
		if want == nil {
			want = []string{tt.sql}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
}
