package items

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
		var head *dump.Head
		var contents *dump.Contents
		tallies := map[string]dump.Tally{}
		for item, err := range Read(bytes.NewReader(stream)) {
			if err != nil {
				t.Fatal(err)
			}
			if item.Head != nil {
				head = item.Head
				continue
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
		if diff := cmp.Diff(&dump.Head{Form: note.Several, Server: "MariaDB 10.11.14", Databases: []string{"a"}}, head); diff != "" {
			t.Errorf("head (-want +got):\n%s", diff)
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
		for _, err := range Read(bytes.NewReader(stream[:n])) {
			failed = err
		}
		if failed == nil {
			t.Fatalf("the first %d of %d bytes are a dump", n, len(stream))
		}
	}
	for item, err := range Read(strings.NewReader("-- MySQL dump 10.13\n")) {
		if !errors.Is(err, dump.ErrNotADump) {
			t.Errorf("mysqldump's: %+v, %v", item, err)
		}
	}
}

// mysqldump's dumps are read as ours are, and in the sql_mode that they set, whatever the tool and
// the server were.
func TestItemsOfMysqldump(t *testing.T) {
	text := "-- Host: localhost    Database: app\n-- Server version\t10.11.14-MariaDB-log\n\n" +
		"/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO,ANSI' */;\n" +
		"/*M!100616 SET NOTE_VERBOSITY=0 */;\n" +
		"CREATE TABLE \"t\\\" (\"a\" int);\n-- Dump completed on nothing\n" +
		"INSERT INTO \"t\\\" VALUES (1,'x),('),(2,'');\nINSERT INTO \"t\\\" VALUES (3,'');\nINSERT INTO \"u\" VALUES (4);\n" +
		"/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;\nSELECT \"\\\"\";\n"
	for _, begin := range []string{"-- MariaDB dump 10.19\n", "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n", "-- MySQL dump 10.19  Distrib 10.6.12-MariaDB\n"} {
		var got []string
		var contents *dump.Contents
		for item, err := range ReadAny(strings.NewReader(begin + text + "-- Dump completed on 2026-01-01\n")) {
			switch {
			case err != nil:
				t.Fatal(err)
			case item.Head != nil:
				if diff := cmp.Diff(&dump.Head{Server: "10.11.14-MariaDB-log", Notes: []string{`of database "app"`}}, item.Head); diff != "" {
					t.Errorf("head (-want +got):\n%s", diff)
				}
			case item.Contents != nil:
				contents = item.Contents
			case item.Kind == dump.Rows:
				for block, err := range item.Blocks {
					if err != nil {
						t.Fatal(err)
					}
					n := 0
					for range item.Split(block) {
						n++
					}
					got = append(got, fmt.Sprintf("%s line %d: %d rows", item.Table, item.BlockLine()-strings.Count(begin, "\n"), n))
				}
			default:
				got = append(got, item.Text)
			}
		}
		want := []string{
			"/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO,ANSI' */", "/*M!100616 SET NOTE_VERBOSITY=0 */", `CREATE TABLE "t\" ("a" int)`,
			`"t\" line 8: 2 rows`, `"t\" line 9: 1 rows`, `"u" line 10: 1 rows`, "/*!40101 SET SQL_MODE=@OLD_SQL_MODE */", `SELECT "\""`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", begin, diff)
		}
		if contents == nil {
			t.Errorf("%q: no contents at the end", begin)
		}
		var failed error
		for item, err := range ReadAny(strings.NewReader(begin + text)) {
			if failed = err; item.Contents != nil {
				t.Errorf("%q: a dump that is cut short has an end", begin)
			}
		}
		if !errors.Is(failed, ErrNotCompleted) {
			t.Errorf("%q, cut short: %v", begin, failed)
		}
	}
}

// Dumps of versions before have lines anywhere that look like a manifest's.
func TestForgedManifest(t *testing.T) {
	for _, forged := range []string{"-- table \"`x`\" rows 5 hash 0000000000000000\n", "-- table x\n", "-- breaking-backups end 7 tables 9 rows stream 0123456789abcdef\n", "-- part nothing\n"} {
		var b bytes.Buffer
		w := dump.NewWriter(&b, note.One)
		w.WriteString("SELECT 1;\n" + forged)
		if err := w.End(dump.Manifest{{Name: "`t`", Rows: 0}}); err != nil {
			t.Fatal(err)
		}
		var last dump.Item
		for item, err := range Read(&b) {
			if err != nil {
				t.Fatalf("%q: %v", forged, err)
			}
			last = item
		}
		if last.Contents == nil || len(last.Contents.Tables) != 1 || last.Contents.Tables[0].Name != "`t`" {
			t.Errorf("%q: %+v", forged, last.Contents)
		}
	}
}

// What looks like a manifest, or stands before the first statement, is not held without bound.
func TestForgedCommentsAreNotHeld(t *testing.T) {
	for _, tt := range []struct{ name, before, comment, want string }{
		{"notes", "", "-- has of its database \"a\": \"b\"\n", "comments of more than 64 MiB before the first statement"},
		{"a manifest", "CREATE TABLE `t` (`a` int);\n", `-- table "t" rows 0 hash 0000000000000000` + "\n", "a manifest of more than "},
	} {
		forged := io.MultiReader(strings.NewReader("-- breaking-backups dump 1 mysql\n"+tt.before), repeated(tt.comment))
		var failed error
		for _, err := range Read(forged) {
			failed = err
		}
		if failed == nil || !strings.Contains(failed.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, failed, tt.want)
		}
	}
}

// repeated reads as a text that is repeated without an end.
type repeated string

func (r repeated) Read(p []byte) (n int, err error) {
	for n+len(r) <= len(p) {
		n += copy(p[n:], r)
	}
	if n == 0 {
		return 0, io.ErrShortBuffer
	}
	return n, nil
}
