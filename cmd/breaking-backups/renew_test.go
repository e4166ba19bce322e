package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/breaking-backups/breaking-backups/restic"
)

func TestIsWrongPassword(t *testing.T) {
	for want, all := range map[bool][]error{
		true: {
			restic.ErrWrongPassword, &pgconn.PgError{Code: "28P01"}, &pgconn.PgError{Code: "28000"}, &mysql.MySQLError{Number: 1045},
			&mysql.MySQLError{Number: 1698},
			mongo.CommandError{Code: 18},
		},
		false: {nil, errors.New("wrong password"), restic.ErrNoRepository, &pgconn.PgError{Code: "42501"}, &mysql.MySQLError{Number: 1044}, mongo.CommandError{Code: 13}},
	} {
		for _, err := range all {
			if err != nil {
				err = fmt.Errorf("connect: %w", err)
			}
			if got := isWrongPassword(err); got != want {
				t.Errorf("%v: %t", err, got)
			}
		}
	}
}

// What a file holds is known anew each time, and whether it has changed; a pipe can be read only
// once.
func TestConfigAgain(t *testing.T) {
	dir := t.TempDir()
	file, passfile := filepath.Join(dir, "secret"), filepath.Join(dir, "pgpass")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read, written, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	fmt.Fprintln(written, "from a pipe")
	written.Close()
	write(file, "first s3cret\n")
	cfg, err := loadConfig([]string{"PGPASSWORD_FILE=" + file, "MYSQL_PASSWORD_FILE=" + fmt.Sprintf("/dev/fd/%d", read.Fd()), "PGPASSFILE=" + passfile}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	again := func(want string, changed bool) {
		t.Helper()
		now, err := cfg.again()
		if err != nil || now.Postgres.Password != want || now.MySQL.Password != "from a pipe" || (now.stamp != cfg.stamp) != changed {
			t.Fatalf("%v, passwords %q and %q, want %q, changed: %t", err, now.Postgres.Password, now.MySQL.Password, want, now.stamp != cfg.stamp)
		}
		cfg = now
	}
	again("first s3cret", false)
	write(file, "second s3cret\n")
	again("second s3cret", true)
	write(passfile, "*:*:*:*:third")
	again("second s3cret", true)
	again("second s3cret", false)
	if got := cfg.redact.String("first s3cret, second s3cret"); got != "***, ***" {
		t.Errorf("what was known and what is: %s", got)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.again(); err == nil {
		t.Error("a file that is gone: no error")
	}
}
