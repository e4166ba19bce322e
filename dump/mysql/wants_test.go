package mysql

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// wantedParts makes a whole dump of those parts of one that a Loader wants, and tells how many of
// them are rows.
func wantedParts(t *testing.T, l *Loader, stream []byte) (wanted []byte, rows int) {
	t.Helper()
	contents, err := dump.ReadContents(bytes.NewReader(stream), int64(len(stream)))
	if err != nil {
		t.Fatal(err)
	}
	_, form, err := dump.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := dump.NewWriter(&b, form)
	var manifest dump.Manifest
	for _, p := range contents.Parts {
		if !l.Wants(p) {
			continue
		}
		text := stream[p.First:p.End()]
		if p.First == 0 {
			_, text, _ = bytes.Cut(text, []byte("\n"))
		}
		w.Write(text)
		if p.Kind == dump.Rows {
			rows++
			manifest = append(manifest, dump.Table{Name: p.Name, Rows: p.Rows, Hash: p.Hash})
		}
	}
	if err := w.End(manifest); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), rows
}

// Of a dump the parts alone that a Loader wants are enough for it.
func TestWantedParts(t *testing.T) {
	my := testServer(t)
	db, other := my.rich(t), my.CreateDB(t)
	my.Query(t, other, "CREATE TABLE child (a INT); INSERT INTO child VALUES (1)")
	one, several := my.dump(t, Config{Databases: []string{db}}), my.dump(t, Config{Databases: []string{db, other}})
	for _, tt := range []struct {
		stream []byte
		part   dump.Choice
		rows   int // parts that are wanted
	}{
		{one, dump.Choice{Tables: []string{"child", "parent"}}, 2},
		{one, dump.Choice{SchemaOnly: true}, 0},
		{several, dump.Choice{FromDatabase: db, Tables: []string{"child", "by_hash"}}, 2},
		{several, dump.Choice{FromDatabase: other}, 1},
	} {
		all, few := my.CreateDB(t), my.CreateDB(t)
		l := my.loader(t, LoadConfig{Database: few, Part: tt.part})
		wanted, rows := wantedParts(t, l, tt.stream)
		if rows != tt.rows {
			t.Errorf("%+v: rows of %d tables are wanted, not %d", tt.part, rows, tt.rows)
		}
		if err := l.Load(t.Context(), bytes.NewReader(wanted)); err != nil {
			t.Fatalf("%+v: %v", tt.part, err)
		}
		if err := my.load(t, LoadConfig{Database: all, Part: tt.part}, tt.stream); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(my.content(t, all), my.content(t, few)); diff != "" {
			t.Errorf("%+v: another database of the parts than of the whole:\n%s", tt.part, diff)
		}
	}
}

// Definitions and rows of tables that compute of their TIMESTAMPs in the server's time zone, which
// MariaDB does behind the rows, are together what they were.
func TestPartsThatComputeInAZone(t *testing.T) {
	my := newTestMySQL(servers.MariaDB(t, "--default-time-zone=+05:30"))
	db, to := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, `CREATE TABLE days (id INT PRIMARY KEY, ts TIMESTAMP NULL, day DATE AS (DATE(ts)) STORED, UNIQUE KEY daily (day));
		INSERT INTO days (id, ts) VALUES (1, '2024-07-02 23:30:00'), (2, '2024-07-04 00:30:00'), (3, NULL)`)
	stream := my.dump(t, Config{Databases: []string{db}})
	for _, part := range []dump.Choice{{SchemaOnly: true}, {DataOnly: true}} {
		l := my.loader(t, LoadConfig{Database: to, Part: part})
		wanted, _ := wantedParts(t, l, stream)
		if err := l.Load(t.Context(), bytes.NewReader(wanted)); err != nil {
			t.Fatalf("%+v: %v", part, err)
		}
		if diff := cmp.Diff(my.content(t, db, "--no-data"), my.content(t, to, "--no-data")); diff != "" {
			t.Errorf("%+v: other definitions:\n%s", part, diff)
		}
	}
	const days = "SELECT GROUP_CONCAT(day ORDER BY id) FROM days"
	if want, got := my.Query(t, db, days), my.Query(t, to, days); got != want {
		t.Errorf("the days are %s, and were %s", got, want)
	}
}
