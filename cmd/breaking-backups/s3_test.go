package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// Backup, retention and restore against an S3 server, its keys given as files.
func TestS3(t *testing.T) {
	t.Parallel()
	pg, s3 := servers.Postgres(t), servers.S3(t)
	dir := t.TempDir()
	db, restored := pg.CreateDB(t), pg.CreateDB(t)
	pg.Psql(t, db, "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT i, md5(i::text) FROM generate_series(1, 20000) i")
	for name, value := range map[string]string{"key": s3.AccessKey, "secret": s3.SecretKey + "\n", "password": "correct horse\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := append(os.Environ(), pg.Env(db)...)
	env = append(
		env,
		"DB_TYPE=postgres", "RESTIC_REPOSITORY="+s3.Repository("shop"), "RESTIC_BINARY="+servers.Restic(t),
		"RESTIC_PASSWORD_FILE="+filepath.Join(dir, "password"), "AWS_ACCESS_KEY_ID_FILE="+filepath.Join(dir, "key"), "AWS_SECRET_ACCESS_KEY_FILE="+filepath.Join(dir, "secret"),
		"AWS_DEFAULT_REGION=us-east-1", "RESTIC_CACHE_DIR="+filepath.Join(dir, "cache"), "KEEP_LAST=1", "LOG_FORMAT=text",
	)
	program := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("breaking-backups", args...)
		cmd.Env = env
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
		}
		if said := out.String() + errs.String(); strings.Contains(said, s3.SecretKey) {
			t.Errorf("%s says the secret key:\n%s", strings.Join(args, " "), said)
		}
		return out.String()
	}
	program("run-once")
	program("run-once")
	if list := program("snapshots"); strings.Count(list, "postgres-"+db) != 1 {
		t.Errorf("want one snapshot:\n%s", list)
	}
	program("restore", "--database", restored)
	want, err := pgDump(pg, db)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgDump(pg, restored)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Error("the restored database is not the one that was backed up")
	}
}
