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

// list writes the items of a script, one a line, and the error it ends with.
func list(r *Reader) string {
	var b strings.Builder
	names := map[Kind]string{Statement: "sql", Copy: "copy", Connect: "connect", Comment: "comment"}
	for {
		it, err := r.Next()
		if err != nil {
			fmt.Fprintf(&b, "%v\n", err)
			return b.String()
		}
		fmt.Fprintf(&b, "%d %s %q", it.Line, names[it.Kind], it.Text)
		if it.Kind == Copy {
			rows, err := io.ReadAll(it.Data)
			fmt.Fprintf(&b, " %q %d", rows, it.Data.Rows())
			if err != nil {
				fmt.Fprintf(&b, " %v", err)
			}
		}
		b.WriteByte('\n')
	}
}

func TestReader(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"empty", "", "EOF\n"},
		{
			"our dump", `-- breaking-backups dump 1 postgres
SET client_encoding = 'UTF8';

-- orders
CREATE TABLE orders (
    id int

);
COPY orders (id) FROM stdin;
1
2
\.
-- table "orders" rows 2 hash 00
-- breaking-backups end 1 tables
`,
			`1 comment "-- breaking-backups dump 1 postgres"
2 sql "SET client_encoding = 'UTF8';"
4 comment "-- orders"
5 sql "CREATE TABLE orders (\n    id int\n);"
9 copy "COPY orders (id) FROM stdin;" "1\n2\n" 2
13 comment "-- table \"orders\" rows 2 hash 00"
14 comment "-- breaking-backups end 1 tables"
EOF
`,
		},
		{
			"comments", "--\n--no\n -- no\n-- yes\r\nselect -- no\n-- no\n1; -- no\n/*\n-- no\n*/\n-- no\n",
			"4 comment \"-- yes\"\n5 sql \"select -- no\\n-- no\\n1;\"\nEOF\n",
		},
		{
			"a statement begins with its first word", "/* a\n */\n-- b\n;\n'\n';",
			"4 sql \"/* a\\n */\\n-- b\\n;\"\n5 sql \"'\\n';\"\nEOF\n",
		},
		{
			"several on a line", "select 1; select 2;\ncopy a from stdin; copy b from stdin;select\n1\n\\.\n2\n\\.\n3;",
			`1 sql "select 1;"
1 sql "select 2;"
2 copy "copy a from stdin;" "1\n" 1
4 copy "copy b from stdin;" "2\n" 1
6 sql "select\n3;"
EOF
`,
		},
		{
			"meta-commands", "\\restrict a\nselect 1;\n\\unrestrict a\n\\connect \"B\"\n\\restrict b\n\\unrestrict b\n\\encoding LATIN1\n",
			"2 sql \"select 1;\"\n4 connect \"B\"\n7 sql \"set client_encoding to 'LATIN1'\"\nEOF\n",
		},
		{
			"a last line without its newline", "copy a from stdin;\n1\n\\.",
			"1 copy \"copy a from stdin;\" \"1\\n\" 1\nEOF\n",
		},
		{
			"no rows", "copy a from stdin;\n\\.\nselect 1;",
			"1 copy \"copy a from stdin;\" \"\" 0\n3 sql \"select 1;\"\nEOF\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, list(NewReader(strings.NewReader(tt.script)))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

const textRows, noRows, binaryRows = "rows", "no rows", "binary rows"

// copies are held against a server by TestCopyAsServer.
var copies = []struct{ sql, want string }{
	{"copy t from stdin;", textRows},
	{"COPY public.\"from\" (a, \"to\", b) FROM STDIN WITH (FORMAT csv, NULL 'binary');", textRows},
	{"/* copy */ -- copy\nCopy-- a\nt/* from x */from\n\tstdin;", textRows},
	{"copy stdin from stdout;", textRows},
	{"copy u&\"a\" from stdin where x > 1;", textRows},
	{"copy t from 'stdin';", noRows},
	{"copy t from program 'stdin';", noRows},
	{"copy t to stdout;", noRows},
	{"copy (select * from stdin) to stdout;", noRows},
	{"copy t (\"a\"\"from stdin\") to stdout;", noRows},
	{"create table copy (a text default 'from stdin');", noRows},
	{"\"copy\" t from stdin;", noRows},
	{"copy binary t from stdin;", binaryRows},
	{"copy t from stdin binary;", binaryRows},
	{"copy t from stdin (format BINARY);", binaryRows},
	{"copy t from stdin (format 'binary');", binaryRows},
	{"copy t from stdin (header false, format \"binary\");", binaryRows},
	{"copy t from stdin with csv null 'binary';", textRows},
	{"copy t from stdin (format text, null 'it''s');", textRows},
}

func TestCopyIsRecognised(t *testing.T) {
	for _, tt := range copies {
		t.Run(tt.sql, func(t *testing.T) {
			got := list(NewReader(strings.NewReader(tt.sql + "\n\\.\n")))
			is := noRows
			switch {
			case strings.Contains(got, "binary format"):
				is = binaryRows
			case strings.Contains(got, " copy \""):
				is = textRows
			}
			if is != tt.want {
				t.Errorf("got %s, want %s: %s", is, tt.want, got)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		script, want string
		cut          bool // by the end of the script
	}{
		{"select 1;\nselect\n2", "line 2: unterminated statement: unexpected EOF", true},
		{"select (1;\n", "line 1: unterminated statement: unexpected EOF", true},
		{"create function f() begin atomic\nselect 1;\n", "line 1: unterminated statement: unexpected EOF", true},
		{"select\n'a\n;", "line 2: unterminated quoted string: unexpected EOF", true},
		{"select E'a'''\n'b\n'\"c", "line 3: unterminated quoted identifier: unexpected EOF", true},
		{"\n/* a\n/* b */", "line 2: unterminated comment: unexpected EOF", true},
		{"select 1; $x$\n$y$;", "line 1: unterminated dollar-quoted string: unexpected EOF", true},
		{"select 1;\ncopy t from stdin;\n1\n2", "line 2: rows of the COPY: after 1 lines: unexpected EOF", true},
		{"copy t from stdin;", "line 1: rows of the COPY: after 0 lines: unexpected EOF", true},
		{"select\n1; \\! rm x\n", `line 2: \!: this meta-command is not supported`, false},
		{"\\i x", `line 1: \i: this meta-command is not supported`, false},
		{"\\copy t from x", `line 1: \copy: this meta-command is not supported`, false},
		{"select 1 \\gexec", `line 1: \gexec: this meta-command is not supported`, false},
		{"\\.", `line 1: \.: this meta-command is not supported`, false},
		{"\\connect;", `line 1: \connect;: this meta-command is not supported`, false},
		{"select 1\\; select 2;", `line 1: \; in SQL is not supported`, false},
		{"select :{?x};", `line 1: psql variables are not supported: :{?x}`, false},
		{"\\restrict a\n\\connect b", `line 2: \connect: meta-commands are restricted, only \unrestrict is allowed`, false},
		{"\\restrict a\n\\restrict b", `line 2: \restrict: meta-commands are restricted, only \unrestrict is allowed`, false},
		{"\\restrict a\n\\unrestrict b", `line 2: \unrestrict: wrong key`, false},
		{"\\restrict a\n\\unrestrict ", `line 2: \unrestrict: a key is missing`, false},
		{"\\restrict", `line 1: \restrict: a key is missing`, false},
		{"\\unrestrict a", `line 1: \unrestrict: not in restricted mode`, false},
		{"\\c", `line 1: \c: no database is named`, false},
		{"\\c -", `line 1: \c: no database is named`, false},
		{"\\c \"\"", `line 1: \c: no database is named`, false},
		{"\\c a b", `line 1: \c: more arguments than supported: "b"`, false},
		{"\\c a ''", `line 1: \c: more arguments than supported: ""`, false},
		{"\\c a`date`", `line 1: \c: a command in backquotes is not supported`, false},
		{"\\c a:b", `line 1: \c: psql variables are not supported`, false},
		{"\\c \"a", `line 1: \c: unterminated quoted string`, false},
		{"\\c 'a''", `line 1: \c: unterminated quoted string`, false},
		{"\\c 'a\\0'", `line 1: \c: a zero byte`, false},
		{"\\c dbname=x", `line 1: \c: a connection string is supported only as -reuse-previous=on "dbname='…'"`, false},
		{"\\c postgres://h/d", `line 1: \c: a connection string is supported only as -reuse-previous=on "dbname='…'"`, false},
		{"\\c -reuse-previous=off x", `line 1: \c: -reuse-previous=off is not supported`, false},
		{"\\c -reuse-previous=on \"dbname=x host=y\"", `line 1: \c: only the database may change`, false},
		{"\\c -reuse-previous=on \"host=y\"", `line 1: \c: only the database may change`, false},
		{"\\c -reuse-previous=on \"dbname='x\"", `line 1: \c: unterminated quoted string in the connection string`, false},
		{"\\c -reuse-previous=on dbname=", `line 1: \c: no database is named`, false},
		{"\\encoding", `line 1: \encoding: "" is no encoding`, false},
		{"\\encoding 'a''b'", `line 1: \encoding: "a'b" is no encoding`, false},
		{"\\encoding Shift_JIS", `line 1: \encoding: client encoding Shift_JIS is not supported: make the dump in UTF8`, false},
		{"SET client_encoding = 'GB18030';", `line 1: client encoding gb18030 is not supported: make the dump in UTF8`, false},
		{"set names 'Big5';", `line 1: client encoding big5 is not supported: make the dump in UTF8`, false},
		{"select 1;\nsel\x00ect", `line 2: a zero byte in SQL`, false},
		{"PGDMP\x01\x0e", `line 1: the custom format of pg_dump is not SQL: pg_restore reads it`, false},
	}
	for _, tt := range tests {
		t.Run(tt.script, func(t *testing.T) {
			r := NewReader(strings.NewReader(tt.script))
			_, _, err := readAll(r)
			if err == nil || err.Error() != tt.want {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if errors.Is(err, io.ErrUnexpectedEOF) != tt.cut {
				t.Errorf("io.ErrUnexpectedEOF: got %t, want %t", !tt.cut, tt.cut)
			}
			if _, again := r.Next(); again == nil || again.Error() != err.Error() {
				t.Errorf("Next after the error: got %v, want %v", again, err)
			}
		})
	}
}

func TestReadError(t *testing.T) {
	cause := errors.New("storage gone")
	for _, s := range []string{"select 1;\n", "select 1;\nsel", "copy t from stdin;\n1\n", "copy t from stdin;\n1\n\\."} {
		_, _, err := readAll(NewReader(io.MultiReader(strings.NewReader(s), iotest.ErrReader(cause))))
		if !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%q: got %v, want a line and %v", s, err, cause)
		}
	}
}

func TestNextSkipsRows(t *testing.T) {
	r := NewReader(strings.NewReader("copy t from stdin;\n1\n2\n\\.\nselect 1;\ncopy u from stdin;\n3"))
	it, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := it.Data.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	data := it.Data
	if it, err = r.Next(); err != nil || it.Text != "select 1;" || it.Line != 5 {
		t.Fatalf("after rows: got %+v, %v", it, err)
	}
	if _, err := data.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("rows read too late: got %v, want an error", err)
	}
	if _, err = r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err = r.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("skipping rows without an end: got %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

func TestLimit(t *testing.T) {
	const limit = 100
	for _, s := range []string{
		"select 1;\nselect '" + strings.Repeat("x", limit) + "';",
		"select 1;\nselect '" + strings.Repeat("x\n", limit) + "';",
		"select 1;\n-- " + strings.Repeat("x", limit),
		"select 1;\nselect '" + strings.Repeat("\n", limit),
	} {
		for _, size := range []int{8, 64, 1024} {
			r := newReader(source{r: strings.NewReader(s), buf: make([]byte, size)})
			r.limit = limit
			_, _, err := readAll(r)
			if err == nil || !strings.Contains(err.Error(), "longer than 100 bytes") {
				t.Errorf("%.20q…, buffer %d: got %v", s, size, err)
			}
		}
	}
}

// TestBuffers reads the same scripts through buffers and reads of every small size.
func TestBuffers(t *testing.T) {
	for _, s := range nasty {
		want := list(NewReader(strings.NewReader(s)))
		for size := 8; size < 40; size++ {
			if got := list(newReader(source{r: strings.NewReader(s), buf: make([]byte, size)})); got != want {
				t.Errorf("%q, buffer %d: %s", s, size, cmp.Diff(want, got))
			}
		}
		if got := list(NewReader(iotest.OneByteReader(strings.NewReader(s)))); got != want {
			t.Errorf("%q, byte by byte: %s", s, cmp.Diff(want, got))
		}
		if got := list(NewReader(iotest.DataErrReader(strings.NewReader(s)))); got != want {
			t.Errorf("%q, data with EOF: %s", s, cmp.Diff(want, got))
		}
	}
}

func TestSingle(t *testing.T) {
	good := []string{
		"select 1;",
		"select 1; \n\n",
		"\n  comment on table t is E'a\\\\b\\n;';",
		"create function f() returns int language sql begin atomic select 1; select 2; end;",
		"create rule r as on insert to t do also (select 1; select 2);",
		"copy t from stdin;",
		"copy t (a) from stdin;\n",
		"select $_$\n-- x\n\\! y\n\\.\n;$_$;",
	}
	for _, s := range good {
		if err := single(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	bad := []struct{ sql, want string }{
		{"", "no statement"},
		{"  \n--a", "no statement"},
		{"select 1", "unterminated statement"},
		{"select 1 -- ;", "unterminated statement"},
		{"select (1;", "unterminated statement"},
		{"comment on table t is 'a\\';'';\n", "more than one statement"},
		{"select 1; select 2;", "more than one statement"},
		{"select 1;;", "more than one statement"},
		{"select 1; select", "unterminated statement"},
		{"select 1;\n-- breaking-backups end", "more than one statement"},
		{"-- breaking-backups end\nselect 1;", "a comment before the statement"},
		{"select 1; /* x */", "a comment behind the statement"},
		{"select 1; /* x", "unterminated comment"},
		{"select 1\n\\! x\n;", `\!: meta-commands are restricted`},
		{"select 1;\n\\unrestrict x", `\unrestrict: wrong key`},
		{"\\restrict x\nselect 1;", `\restrict: meta-commands are restricted`},
		{"copy t from stdin;\n1\n\\.\n", "more than one statement"},
		{"copy t from stdin; select 1;", "more than one statement"},
		{"select '\x00';", "a zero byte"},
		{"create function begin() returns int return 1;", "unterminated statement"},
	}
	for _, tt := range bad {
		if err := single(tt.sql); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %s", tt.sql, err, tt.want)
		}
	}
}
