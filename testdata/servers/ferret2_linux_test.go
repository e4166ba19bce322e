package servers

import (
	"os"
	"strings"
	"testing"
)

// A PostgreSQL without the extension is told from one that is broken, and nothing of it stays
// behind.
func TestFerret2WithoutExtension(t *testing.T) {
	skipShort(t, "FerretDB v2")
	bin, err := postgresBin()
	if err != nil {
		t.Fatal(err)
	}
	base, err := os.MkdirTemp("", "without") // t.TempDir is closed to the server's account
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(base)
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", base)
	t.Setenv(documentdbBin, bin)
	f, err := StartFerret()
	if err == nil { // this one has it
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
	} else {
		for _, want := range []string{"start FerretDB v2: ", documentdbBin + "=" + bin, "needs the extensions documentdb and pg_cron", `could not access file "pg_cron"`} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v\nwant: … %s …", err, want)
			}
		}
	}
	if left, err := os.ReadDir(base); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if left := processesIn(t, base); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}

	t.Setenv(documentdbBin, base)
	if _, err := StartFerret(); err == nil || !strings.Contains(err.Error(), "no initdb, postgres and psql in "+documentdbBin+"="+base) {
		t.Error(err)
	}
}
