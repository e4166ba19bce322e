package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// TestFidelity holds a dump against pg_dump's: what pg_dump says of a database
// restored from ours is what it says of the original.
func TestFidelity(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a PostgreSQL server")
	}
	pg := servers.Postgres(t)
	scripts, err := filepath.Glob("testdata/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".sql"), func(t *testing.T) {
			sql, err := os.ReadFile(script)
			if err != nil {
				t.Fatal(err)
			}
			db := pg.CreateDB(t)
			psqlLoad(t, pg, db, sql)
			stream := dumpDB(t, pg, db)
			if again := dumpDB(t, pg, db); !bytes.Equal(stream, again) {
				t.Errorf("two dumps of an unchanged database differ:\n%s", cmp.Diff(string(stream), string(again)))
			}
			original := pgDump(t, pg, db)
			same := func(how, restored string) {
				t.Helper()
				if diff := cmp.Diff(original, pgDump(t, pg, restored)); diff != "" {
					t.Errorf("pg_dump tells the database restored %s from the original (-original +restored):\n%s", how, diff)
				}
			}
			byPsql := pg.CreateDB(t)
			psqlLoad(t, pg, byPsql, stream)
			same("by psql", byPsql)
			natively := pg.CreateDB(t)
			if err := load(t, pg, LoadConfig{Database: natively}, stream); err != nil {
				t.Fatal(err)
			}
			same("natively", natively)
			if err := load(t, pg, LoadConfig{Database: natively}, stream); !errors.Is(err, ErrNotEmpty) {
				t.Errorf("loading into a database with contents: %v, want ErrNotEmpty", err)
			}
			if err := load(t, pg, LoadConfig{Database: natively, Clean: true}, stream); err != nil {
				t.Fatal(err)
			}
			same("over itself", natively)
		})
	}
}

// load loads a stream with cfg, whose Conn it sets.
func load(t *testing.T, pg *servers.PG, cfg LoadConfig, stream []byte) error {
	t.Helper()
	cfg.Conn = pg.DSN("postgres")
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l.Load(context.Background(), bytes.NewReader(stream))
}

// dumpDB returns our dump of a database.
func dumpDB(t *testing.T, pg *servers.PG, db string) []byte {
	t.Helper()
	src, err := NewSource(Config{Conn: pg.DSN(db), Warn: func(s string) { t.Log("warning:", s) }})
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := src.Dump(context.Background(), &buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// psqlLoad loads a dump the way a user without this program would.
func psqlLoad(t *testing.T, pg *servers.PG, db string, stream []byte) {
	t.Helper()
	cmd := exec.Command(filepath.Join(pg.BinDir, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", pg.DSN(db), "-f", "-")
	cmd.Stdin = bytes.NewReader(stream)
	cmd.Stdout = io.Discard
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("psql: %v\n%s", err, stderr.Bytes())
	}
}

// pgDump returns what pg_dump writes, without what differs from run to run.
func pgDump(t *testing.T, pg *servers.PG, db string) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(pg.BinDir, "pg_dump"), "-d", pg.DSN(db)).Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	return regexp.MustCompile(`(?m)^\\(un)?restrict .*\n`).ReplaceAllString(string(out), "")
}
