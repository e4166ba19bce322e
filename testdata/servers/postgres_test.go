package servers

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestPostgres(t *testing.T) {
	pg := Postgres(t)
	db := pg.CreateDB(t)
	if got := pg.Psql(t, db, "SELECT 1; SELECT current_setting('wal_level'), current_database()"); got != "1\nlogical|"+db {
		t.Errorf("psql: %q", got)
	}
	if other := pg.CreateDB(t); other == db {
		t.Errorf("two databases are named %s", db)
	}
}

func TestPostgresPasswords(t *testing.T) {
	pg := Postgres(t)
	pg.Psql(t, "postgres", "CREATE ROLE app LOGIN PASSWORD 'secret'")
	for password, want := range map[string]bool{"secret": true, "wrong": false} {
		cmd := exec.Command(filepath.Join(pg.BinDir, "psql"), "-Xwc", "SELECT 1")
		cmd.Env = append(pg.Env("postgres"), "PGUSER=app", "PGPASSWORD="+password)
		out, err := cmd.CombinedOutput()
		if (err == nil) != want {
			t.Errorf("password %s: %v\n%s", password, err, out)
		}
	}
}

func TestPostgresSideBySide(t *testing.T) {
	one, two := Postgres(t), Postgres(t)
	one.Psql(t, "postgres", "CREATE TABLE only_here ()")
	if got := two.Psql(t, "postgres", "SELECT to_regclass('only_here') IS NULL"); got != "t" {
		t.Error("two servers share their data")
	}
}

func TestPostgresMissing(t *testing.T) {
	t.Setenv("PG_BIN", t.TempDir())
	if _, err := StartPostgres(); err == nil || !strings.Contains(err.Error(), "PG_BIN") {
		t.Errorf("with an empty PG_BIN: %v", err)
	}
}
