package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
)

// What a dry run has found out is told in columns, with nothing that a terminal would heed; what an
// engine does not know takes no line.
func TestPrintRehearsal(t *testing.T) {
	found := dump.Rehearsal{
		Target: dump.Target{Server: "db:5432", Database: "app", Databases: []string{"app"}, Drops: []string{"everything in database app: relation public.t", "publication p\x1b[31m"}},
		From:   "PostgreSQL 15.18", To: "PostgreSQL 17.2",
		Tables:    dump.Manifest{{Name: "public.orders", Rows: 320000}, {Name: "public.\"O\n\"", Rows: 0}},
		Bytes:     []int64{20_500_000, 0},
		Obstacles: []error{dump.ErrNotEmpty, errors.New("role app lacks CREATE")},
		Missing:   []string{"role app", "extension postgis"},
	}
	var out strings.Builder
	r := &restoration{app: &app{stdout: &out}, name: "snapshot 4bba301e", job: job{engine: engine{table: "table", row: "row"}}}
	r.printRehearsal(21_000_000, found)
	const want = `dump        snapshot 4bba301e, 21.0 MB
from        PostgreSQL 15.18
into        database app on db:5432
server      PostgreSQL 17.2
drops       everything in database app: relation public.t
            publication p\u001b[31m
in the way  the database is not empty
            role app lacks CREATE
missing     role app
            extension postgis

TABLE          ROWS    SIZE
public.orders  320000  20.5 MB
public."O\n"   0
2 tables, 320000 rows
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	out.Reset()
	r.printRehearsal(5, dump.Rehearsal{})
	if diff := cmp.Diff("dump  snapshot 4bba301e, 5 B\n", out.String()); diff != "" {
		t.Errorf("of nothing (-want +got):\n%s", diff)
	}
	err := error(&obstacleError{found.Obstacles})
	if got, want := err.Error(), "restore: it would not begin: the database is not empty; and 1 other thing in the way"; got != want || !errors.Is(err, dump.ErrNotEmpty) {
		t.Errorf("error %q, want %q", got, want)
	}
}
