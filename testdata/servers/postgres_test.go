package servers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

// A server of another version comes without clients, and runs from wherever the repository is.
func TestPostgresVersion(t *testing.T) {
	majors := PostgresVersions()
	for _, major := range []int{majors[0], majors[len(majors)-1]} {
		pg := PostgresVersion(t, major)
		if got := pg.Psql(t, "postgres", "SELECT current_setting('server_version_num')::int / 10000"); got != strconv.Itoa(major) {
			t.Errorf("asked for %d, got %s", major, got)
		}
		// Libraries of its own that are found only when they are needed.
		pg.Psql(t, "postgres", "CREATE EXTENSION postgres_fdw; CREATE COLLATION german (provider = icu, locale = 'de')")
	}
	if _, err := startPostgresVersion(12); err == nil || !strings.Contains(err.Error(), "fetch PostgreSQL 12: not to be had") {
		t.Error(err)
	}

	bin, _, err := FetchPostgres(majors[0])
	if err != nil {
		t.Fatal(err)
	}
	closed := t.TempDir() // to the server's account, where that is not ours
	if err := os.CopyFS(filepath.Join(closed, "native"), os.DirFS(filepath.Dir(bin))); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PG_BIN", filepath.Join(closed, "native", "bin"))
	pg := Postgres(t)
	pg.Psql(t, "postgres", "CREATE EXTENSION postgres_fdw")
}

// What is not what it was when it was pinned is not unpacked.
func TestReleaseChanged(t *testing.T) {
	archive, dir := filepath.Join(t.TempDir(), "a.tgz"), filepath.Join(t.TempDir(), "whole")
	if err := os.WriteFile(archive, []byte("something else"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := releases["amd64"][0].unpack(archive, dir); err == nil || !strings.Contains(err.Error(), "its sha512 is") {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s was made: %v", dir, err)
	}
}
