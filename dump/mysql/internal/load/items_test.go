package load

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
)

// severalDatabases is a dump of two databases, with a statement in a comment behind the first one's
// rows.
func severalDatabases(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := dump.NewWriter(&b, note.Several)
	w.Begin(dump.Definitions, "")
	w.WriteString("-- " + note.Server + "MariaDB 10.11.14\n-- " + note.Database + "\"a\"\nSET sql_mode = 'ANSI_QUOTES';\nSET sql_mode = 'NO_BACKSLASH_ESCAPES';\n")
	w.WriteString("CREATE DATABASE `a`;\nUSE `a`;\nCREATE TABLE `t,(` (x text);\n")
	w.Begin(dump.Rows, "`a`.`t,(`")
	w.WriteString("START TRANSACTION;\nINSERT INTO `t,(` (`x`) VALUES\n('1'),\n('a\\'),\n(',(;');\nINSERT INTO `t,(` (`x`) VALUES\n('4');\nCOMMIT;\n")
	w.Begin(dump.AfterRows, "`a`.`t,(`")
	w.WriteString("ALTER TABLE `t,(` ADD KEY (x(3));\n-- " + note.Native + "\"SELECT 1\"\n")
	w.Begin(dump.Definitions, "b")
	w.WriteString("USE `b`;\nCREATE TABLE `u` (x int);\n")
	w.Begin(dump.Rows, "`b`.`u`")
	w.WriteString("INSERT INTO `u` (`x`) VALUES\n(1);\n")
	w.Begin(dump.AfterRows, "")
	w.WriteString("CREATE VIEW v AS SELECT 1;\n")
	var first, second dump.Tally
	for _, row := range []string{"('1')", `('a\')`, "(',(;')", "('4')"} {
		first.Add([]byte(row))
	}
	second.Add([]byte("(1)"))
	if err := w.End(dump.Manifest{first.Of("`a`.`t,(`"), second.Of("`b`.`u`")}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestItems(t *testing.T) {
	stream := severalDatabases(t)
	want := []string{
		"definitions SET sql_mode = 'ANSI_QUOTES'", "definitions SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "definitions CREATE DATABASE `a`",
		"definitions a USE `a`", "definitions a CREATE TABLE `t,(` (x text)", "definitions a START TRANSACTION",
		"rows a `a`.`t,(` INSERT INTO `t,(` (`x`) VALUES\n", "after a COMMIT", "after a ALTER TABLE `t,(` ADD KEY (x(3))", "after a SELECT 1",
		"definitions b USE `b`", "definitions b CREATE TABLE `u` (x int)", "rows b `b`.`u` INSERT INTO `u` (`x`) VALUES\n", "after b CREATE VIEW v AS SELECT 1",
	}
	for _, reads := range []bool{true, false} { // whoever passes over rows gets all else
		var got []string
		var contents *dump.Contents
		tallies := map[string]dump.Tally{}
		for item, err := range Items(bytes.NewReader(stream)) {
			if err != nil {
				t.Fatal(err)
			}
			if item.Contents != nil {
				contents = item.Contents
				continue
			}
			got = append(got, strings.Join(strings.Fields(fmt.Sprint(item.Kind, " ", item.Database, " ", item.Table)), " ")+" "+item.Text)
			if item.Kind == dump.Rows && reads {
				if tallies[item.Table], err = item.Tally(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if contents == nil || len(contents.Tables) != 2 || len(contents.Parts) != 6 {
			t.Fatalf("contents %+v", contents)
		}
		for _, table := range contents.Tables {
			if tally := tallies[table.Name]; reads {
				if err := table.Compare(tally.Rows, tally.Hash); err != nil {
					t.Error(err)
				}
			}
		}
	}
	for n := range stream {
		var failed error
		for _, err := range Items(bytes.NewReader(stream[:n])) {
			failed = err
		}
		if failed == nil {
			t.Fatalf("the first %d of %d bytes are a dump", n, len(stream))
		}
	}
	for item, err := range Items(strings.NewReader("-- MySQL dump 10.13\n")) {
		if !errors.Is(err, dump.ErrNotADump) {
			t.Errorf("mysqldump's: %+v, %v", item, err)
		}
	}
}
