package main

import (
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// What passes at a place of a dump is told by its table, and not while it is nobody's.
func TestTableAt(t *testing.T) {
	from := dumpSource{parts: dump.Parts{
		{Kind: dump.Definitions, Name: "app", First: 0, Bytes: 10},
		{Kind: dump.Rows, Name: "public.orders", First: 10, Bytes: 5},
		{Kind: dump.AfterRows, Name: "public.orders", First: 15, Bytes: 1},
		{Kind: dump.AfterRows, First: 16, Bytes: 4},
	}}
	for at, want := range map[int64]string{0: "", 9: "", 10: "public.orders", 15: "public.orders", 16: "", 20: "", 99: ""} {
		if got := from.tableAt(at); got != want {
			t.Errorf("byte %d: %q, want %q", at, got, want)
		}
	}
	if got := (dumpSource{}).tableAt(5); got != "" {
		t.Errorf("of a dump that does not say: %q", got)
	}
}
