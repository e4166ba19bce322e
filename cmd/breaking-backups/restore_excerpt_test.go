package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
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

// A file that is written into while it is restored is found out; one that another is put in the
// place of is read on.
func TestFileIsOneFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "app.sql")
	mustDo(t, os.WriteFile(name, []byte("first"), 0o600))
	from, err := fileSource(t.Context(), name)
	mustDo(t, err)
	defer from.close()
	mustDo(t, os.Rename(name, name+".old"), os.WriteFile(name, []byte("other"), 0o600))
	var read bytes.Buffer
	if err := from.produce(t.Context(), &read); err != nil || read.String() != "first" {
		t.Errorf("of a file that was replaced: %q, %v", read.String(), err)
	}
	mustDo(t, os.WriteFile(name+".old", []byte("written into"), 0o600))
	opened, err := from.open(t.Context())
	mustDo(t, err)
	for how, err := range map[string]error{
		"whole": from.produce(t.Context(), &read), "in part": opened.spans(t.Context(), &read, []dump.Span{{First: 0, Bytes: 3}}),
	} {
		if err == nil || !strings.Contains(err.Error(), "it was written into since it was first read") {
			t.Errorf("read %s: error %v", how, err)
		}
	}
}
