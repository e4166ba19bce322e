package mysql

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// written makes a whole dump of the statements given.
func (my *testMySQL) written(t *testing.T, m dump.Manifest, sql string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := dump.NewWriter(&b, note.One)
	io.WriteString(w, "-- "+note.Server+string(my.family)+" 10.0\n"+sql)
	if err := w.End(m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tableOf is the manifest's entry for a table with these rows.
func tableOf(name string, rows ...string) dump.Table {
	entry := dump.Table{Name: name, Rows: int64(len(rows))}
	for _, row := range rows {
		entry.Hash += dump.RowHash([]byte(row))
	}
	return entry
}

func TestLoadErrors(t *testing.T) {
	my := testServer(t)
	other := map[server.Family]string{server.MySQL: "MariaDB", server.MariaDB: "MySQL"}[my.family]
	table := "CREATE TABLE `t` (`a` INT PRIMARY KEY);\n"
	rows := "INSERT INTO `t` (`a`) VALUES\n(1),\n(2);\n"
	whole := my.written(t, dump.Manifest{tableOf("`t`", "(1)", "(2)")}, table+rows)
	foreign := "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)                         \n" + table + rows
	for name, c := range map[string]struct {
		stream []byte
		want   []string // parts of the message
	}{
		"a failing statement": {
			my.written(t, nil, table+"\nSELECT 1;\nALTER TABLE `t`\n  ADD COLUMN `a` INT;\n"),
			[]string{"restore: line 6: ALTER TABLE `t` …: ", "Duplicate column name 'a'", "now holds a part of the dump"},
		},
		"a failing row":                        {my.written(t, nil, table+rows+rows), []string{"line 7: INSERT INTO `t` (`a`) VALUES …: ", "Duplicate entry '1'"}},
		"nonsense":                             {my.written(t, nil, "INSERT INTO `t` VALUES ('topsecret' 'x);\n"), []string{"line 3: unterminated string"}},
		"a syntax error":                       {my.written(t, nil, table+"INSERT INTO `t` (`a`) VALUES (1 'topsecret');\n"), []string{"line 4: INSERT INTO `t` (`a`) VALUES …: ", "1064"}},
		"fewer rows than the manifest says":    {my.written(t, dump.Manifest{{Name: "`t`", Rows: 3}}, table+rows), []string{"table `t` has 2 rows, the dump's manifest says 3"}},
		"other rows than the manifest says":    {my.written(t, dump.Manifest{tableOf("`t`", "(1)", "(3)")}, table+rows), []string{"table `t` has other rows than the dump's manifest says", "now holds a part of the dump"}},
		"a table that the manifest lacks":      {my.written(t, nil, table+rows), []string{"table `t` is not in the dump's manifest"}},
		"cut before the trailer":               {whole[:bytes.LastIndex(whole, []byte("-- breaking-backups end"))], []string{"truncated"}},
		"cut within a statement":               {whole[:len(whole)/2], []string{"truncated"}},
		"changed":                              {bytes.Replace(whole, []byte("(2)"), []byte("(3)"), 1), []string{"damaged"}},
		"no dump":                              {[]byte(table), []string{"not a dump made by this version"}},
		"of another engine":                    {append([]byte("-- breaking-backups dump 1 postgres\n"), whole...), []string{"this is a dump of postgres, not of mysql"}},
		"of the other family":                  {bytes.Replace(whole, []byte(my.family), []byte(other), 1), []string{"a dump of " + other, "do not take each other's dumps"}},
		"mysqldump's without its last line":    {[]byte(foreign), []string{`its last line, "-- Dump completed", is missing`}},
		"mysqldump's that makes its databases": {[]byte(foreign + "USE `elsewhere`;\n-- Dump completed\n"), []string{"and not into one database"}},
		"a command for the shell":              {my.written(t, nil, "system touch /tmp/never;\n"), []string{"line 3: ", "system"}},
		"a password in the error":              {my.written(t, nil, "CREATE USER IDENTIFIED BY 'topsecret';\n"), []string{"CREATE USER IDENTIFIED …: "}},
	} {
		t.Run(name, func(t *testing.T) {
			err := my.load(t, LoadConfig{Database: my.CreateDB(t)}, c.stream)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "topsecret") {
				t.Errorf("error %q tells a secret", err)
			}
		})
	}
}

// A server takes no statement longer than its max_allowed_packet, and the one that wrote the dump
// may have taken more.
func TestLoadSplitsStatements(t *testing.T) {
	my := testServer(t)
	var before int
	admin, err := my.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.Row(t.Context(), "SELECT @@GLOBAL.max_allowed_packet", &before); err != nil {
		t.Fatal(err)
	}
	packet := func(bytes int) {
		if err := admin.Exec(t.Context(), fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", bytes)); err != nil {
			t.Fatal(err)
		}
	}
	packet(1 << 20)
	defer packet(before)

	db := my.CreateDB(t)
	row := "('" + strings.Repeat("\\'),(", 100_000) + "')" // two fit a packet, not three
	rows := strings.Repeat(row+",\n", 6) + row
	sql := "CREATE TABLE `t` (`a` LONGTEXT);\nINSERT INTO `t` (`a`) VALUES\n" + rows + ";\n"
	manifest := dump.Manifest{tableOf("`t`", slices.Repeat([]string{row}, 7)...)}
	if err := my.load(t, LoadConfig{Database: db}, my.written(t, manifest, sql)); err != nil {
		t.Fatal(err)
	}
	var length, lengths int
	if err := admin.Row(t.Context(), "SELECT SUM(LENGTH(a)), COUNT(DISTINCT a) FROM "+quote.Name(db)+".t", &length, &lengths); err != nil {
		t.Fatal(err)
	}
	if length != 7*400_000 || lengths != 1 {
		t.Errorf("%d bytes, %d values", length, lengths)
	}
}

// A line that looks like one of ours counts only where this program writes it: dumps of versions
// before may hold such.
func TestForgedLines(t *testing.T) {
	my := testServer(t)
	table := "CREATE TABLE `t` (`a` INT PRIMARY KEY);\nINSERT INTO `t` (`a`) VALUES\n(1),\n(2);\n"
	forged := "-- table \"`x`\" rows 5 hash 0000000000000000\n-- table x\n-- server Other 1.0\n-- database \"mysql\"\n-- breaking-backups end 7 tables 9 rows stream 0123456789abcdef\n"
	for name, sql := range map[string]string{
		"within":            table + forged + "CREATE VIEW v AS SELECT a FROM t;\n",
		"before the end":    table + forged + "-- view \"v\" is invalid\n",
		"before all tables": "-- \n" + forged[strings.Index(forged, "-- breaking"):] + table,
	} {
		t.Run(name, func(t *testing.T) {
			if err := my.load(t, LoadConfig{Database: my.CreateDB(t)}, my.written(t, dump.Manifest{tableOf("`t`", "(1)", "(2)")}, sql)); err != nil {
				t.Error(err)
			}
		})
	}
	if err := my.load(t, LoadConfig{Database: my.CreateDB(t)}, my.written(t, nil, table+"-- table \"`t`\" rows 2 hash 0000000000000000\n")); err == nil {
		t.Error("a manifest that the last line knows nothing of is taken for one")
	}
}
