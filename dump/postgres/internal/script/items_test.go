package script

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
)

// However a dump comes, its items are the same, and the rows whole.
func TestItems(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	var b bytes.Buffer
	w := dump.NewWriter(&b, Cluster)
	w.Begin(dump.Definitions, "")
	w.WriteString(DatabaseLine("a b") + "SET x = 1;\n\n-- database\n\nCREATE DATABASE \"a b\" WITH TEMPLATE = template0;\n" + ConnectCommand("a b") + "\n\nCREATE TABLE s.\"T\" (a text);\n")
	w.Begin(dump.Rows, `"a b".s."T"`)
	w.WriteString("-- " + ByKeyMark + "\nCOPY s.\"T\" (a) FROM stdin;\n1\n" + long + "\n\n3\n\\.\n\n")
	w.Begin(dump.AfterRows, "")
	w.WriteString("ALTER TABLE s.\"T\" ADD PRIMARY KEY (a);\n\n-- privileges\n\nGRANT SELECT ON s.\"T\" TO r;\n")
	var tally dump.Tally
	for _, row := range []string{"1", long, "", "3"} {
		tally.Add([]byte(row))
	}
	if err := w.End(dump.Manifest{tally.Of(`"a b".s."T"`)}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`head postgres cluster of ["a b"]`, `definitions "": SET x = 1;`, `definitions "": CREATE DATABASE "a b" WITH TEMPLATE = template0;`,
		`definitions "a b": \connect -reuse-previous=on "dbname='a b'"`, `definitions "a b": CREATE TABLE s."T" (a text);`,
		`rows "a b": "a b".s."T" 4 rows, sorted: true`, `after "a b": ALTER TABLE s."T" ADD PRIMARY KEY (a);`, `after "a b": GRANT SELECT ON s."T" TO r;`,
	}
	for name, stream := range map[string]*bytes.Reader{"whole": bytes.NewReader(b.Bytes())} {
		var got []string
		var contents *dump.Contents
		for item, err := range Items(iotest.HalfReader(stream)) {
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case item.Head != nil:
				got = append(got, fmt.Sprintf("head %s of %q", item.Head.Form, item.Head.Databases))
			case item.Contents != nil:
				contents = item.Contents
			case item.Kind == dump.Rows:
				rows, err := item.Tally()
				if err != nil || rows != tally {
					t.Errorf("%s: %d rows with the hash %x, %v", name, rows.Rows, rows.Hash, err)
				}
				got = append(got, fmt.Sprintf("rows %q: %s %d rows, sorted: %v", item.Database, item.Table, rows.Rows, item.Sorted))
			default:
				got = append(got, fmt.Sprintf("%s %q: %s", item.Kind, item.Database, item.Text))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if contents == nil || len(contents.Parts) != 3 || len(contents.Tables) != 1 || contents.Parts[1].Rows != 4 {
			t.Errorf("%s: the contents are %+v", name, contents)
		}
	}
	// One that is cut short, or from before manifests had parts.
	for n := range Items(bytes.NewReader(b.Bytes()[:b.Len()-20])) {
		if n.Contents != nil {
			t.Error("a dump that is cut short has contents")
		}
	}
	var old bytes.Buffer
	w = dump.NewWriter(&old, OneDatabase)
	w.WriteString("SELECT 1;\n")
	if err := w.End(nil); err != nil {
		t.Fatal(err)
	}
	n := 0
	for item, err := range Items(&old) {
		if err != nil {
			t.Error(err)
		}
		if n++; n == 3 && item.Contents == nil {
			t.Error("a dump without parts has no contents")
		}
	}
	for _, err := range Items(strings.NewReader("-- breaking-backups dump 1 mysql\n")) {
		if err == nil || !strings.Contains(err.Error(), "not of postgres") {
			t.Errorf("a dump of mysql: %v", err)
		}
	}
}

// A row that never ends is refused, as a server would not take it, before all memory is.
func TestBlocksOfAnEndlessRow(t *testing.T) {
	r := NewReader(strings.NewReader("COPY t FROM stdin;\n" + strings.Repeat("x", 4<<20) + "\n\\.\n"))
	r.limit = 1 << 20
	item, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	for block, err := range item.Data.Blocks() {
		if err == nil {
			t.Errorf("a block of %d bytes", len(block))
		}
		failed = err
	}
	if failed == nil || !strings.Contains(failed.Error(), "longer than 1048576 bytes") {
		t.Errorf("%v", failed)
	}
}

// Pieces are the rows, and Blocks whole ones, however the dump comes.
func TestPiecesAreTheRows(t *testing.T) {
	rows := "1\n" + strings.Repeat("x", 3*bufferSize) + "\n\n3\n"
	for name, whole := range map[string]bool{"pieces": false, "blocks": true} {
		item, err := NewReader(iotest.HalfReader(strings.NewReader("COPY t FROM stdin;\n" + rows + "\\.\n"))).Next()
		if err != nil {
			t.Fatal(err)
		}
		read := item.Data.Pieces()
		if whole {
			read = item.Data.Blocks()
		}
		var got strings.Builder
		for part, err := range read {
			switch {
			case err != nil:
				t.Fatal(err)
			case !whole && len(part) > bufferSize:
				t.Errorf("a piece has %d bytes", len(part))
			case whole && !bytes.HasSuffix(part, []byte("\n")):
				t.Errorf("a block of %d bytes is not of whole rows", len(part))
			}
			got.Write(part)
		}
		if got.String() != rows {
			t.Errorf("%s: %d bytes, want %d", name, got.Len(), len(rows))
		}
	}
}

// What counts as a manifest behind the last statement, and as a name before the first, is held
// nowhere else, and no more of it than there can be.
func TestForgedCommentsAreNotHeld(t *testing.T) {
	table := "-- table \"x\" rows 5 hash 0000000000000000\n"
	for name, tt := range map[string]struct{ before, comment, behind, want string }{
		"a manifest of nothing":    {"", table, "", "line 25576: a manifest of more than 1048576 bytes behind 0 tables and databases"},
		"a manifest of one table":  {"COPY t FROM stdin;\n\\.\n", table, "", "a manifest of more than 1056768 bytes behind 1 tables and databases"},
		"parts of a dump":          {"SELECT 1;\n", "-- part rows \"x\" bytes 5\n", "", "a manifest of more than 1048576 bytes behind 0 tables and databases"},
		"before the first one":     {"", table, "SELECT 1;\n", "a manifest of more than"},
		"before another statement": {"SELECT 1;\n", table, "SELECT 2;\n", "EOF"},
		"databases":                {"", "-- database \"" + strings.Repeat("x", 1<<20) + "\"\n", "SELECT 1;\n", "line 17: the names of more than 16 databases"},
		"databases within":         {"SELECT 1;\n", "-- database \"" + strings.Repeat("x", 1<<20) + "\"\n", "SELECT 2;\n", "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			stream := io.MultiReader(strings.NewReader(tt.before), strings.NewReader(strings.Repeat(tt.comment, max(2<<20/len(tt.comment), 18))), strings.NewReader(tt.behind))
			s := itemizer{script: NewReader(stream)}
			var err error
			for err == nil {
				_, err = s.next()
			}
			if err == io.EOF && tt.behind == "" {
				_, err = s.manifest.contents()
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
			held := s.names
			for _, line := range s.manifest.lines {
				held += len(line)
			}
			if held > mostNames || tt.comment == table && held > manifestLeast+manifestEach {
				t.Errorf("%d bytes are held", held)
			}
		})
	}
}
