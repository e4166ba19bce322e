package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// A PG is a private PostgreSQL server. Over TCP the superuser is trusted and every other role needs
// its password (SCRAM); over the socket all are trusted.
type PG struct {
	Host      string // 127.0.0.1
	Port      int
	Superuser string // postgres
	BinDir    string // psql, pg_dump of the server's own version, or the machine's newest where it came without
	SocketDir string
	LogFile   string

	programs  string // the folder of initdb and postgres
	scratch   *scratch
	process   *process
	databases atomic.Int64
}

// Postgres starts a server for the test and stops it when the test is over. When the test has
// failed, the end of the server's log goes into the test's.
func Postgres(t testing.TB) *PG {
	t.Helper()
	skipShort(t, "PostgreSQL")
	pg, err := StartPostgres()
	if err != nil {
		t.Fatal(err)
	}
	return stopAfter(t, pg)
}

func stopAfter(t testing.TB, pg *PG) *PG {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the server's log:\n%s", pg.logTail())
		}
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	return pg
}

// StartPostgres is Postgres for TestMain and for programs: whoever calls it calls Stop. PG_BIN
// names another version's folder of programs; the default is the newest of /usr/lib/postgresql,
// then the PATH.
func StartPostgres() (*PG, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	return startPostgres(bin, "")
}

// startPostgres starts the server of the programs in bin, with more settings.
func startPostgres(bin, more string) (pg *PG, err error) {
	clients, err := clientsFor(bin)
	if err != nil {
		return nil, err
	}
	account, err := serverAccount()
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s, err := newScratch(serverBase(account, "postgres", "/.s.PGSQL.65535"), "postgres")
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer func() {
		if err != nil {
			s.remove()
		}
	}()
	if err := s.giveTo(account); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	programs, err := s.withinReach(account, bin)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	pg = &PG{Host: "127.0.0.1", Superuser: "postgres", BinDir: clients, programs: programs, SocketDir: s.dir, LogFile: s.path("log"), scratch: s}
	if err := pg.initialise(account, more); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	// A free port can be lost to another process before the server binds it.
	for range 10 {
		if err = pg.listen(account); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w\n%s", err, pg.logTail())
	}
	return pg, nil
}

// Stop ends the server at once, as its data is thrown away, and removes its folder.
func (pg *PG) Stop() error {
	return errors.Join(pg.process.stop(syscall.SIGQUIT, 20*time.Second), pg.scratch.remove())
}

// DSN is the superuser's connection to db, as a URL.
func (pg *PG) DSN(db string) string {
	return fmt.Sprintf("postgres://%s@%s:%d/%s?sslmode=disable", pg.Superuser, pg.Host, pg.Port, db)
}

// Env is the same connection as libpq's environment variables.
func (pg *PG) Env(db string) []string {
	return []string{
		"PGHOST=" + pg.Host, "PGPORT=" + strconv.Itoa(pg.Port),
		"PGUSER=" + pg.Superuser, "PGDATABASE=" + db, "PGSSLMODE=disable",
	}
}

// CreateDB makes an empty database, dropped again when the test is over. The names sort as they
// were made.
func (pg *PG) CreateDB(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%04d", pg.databases.Add(1))
	pg.Psql(t, "postgres", "CREATE DATABASE "+name)
	t.Cleanup(func() { pg.Psql(t, "postgres", "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return name
}

// Psql runs sql, one or many statements or meta-commands, as the superuser and returns what psql
// prints: rows unaligned, without headers or the last newline.
func (pg *PG) Psql(t testing.TB, db, sql string) string {
	t.Helper()
	if one := strings.TrimSuffix(strings.TrimSpace(sql), ";"); !strings.ContainsAny(one, `;\`) {
		rows, err := pg.statement(db, one)
		if err != nil {
			t.Fatalf("psql %s: %v\n%s", db, err, sql)
		}
		return rows
	}
	cmd := exec.Command(filepath.Join(pg.BinDir, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", pg.DSN(db))
	cmd.Stdin = strings.NewReader(sql)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("psql %s: %v\n%s\n%s", db, err, stderr.String(), sql)
	}
	return strings.TrimSuffix(stdout.String(), "\n")
}

// statement is psql for one statement, of which the tests of a package run thousands: to start the
// program and its libraries takes more of a processor than the server takes for the answer.
func (pg *PG) statement(db, sql string) (rows string, err error) {
	ctx := context.Background() // a test's own is over when it cleans up
	conn, err := pgconn.Connect(ctx, pg.DSN(db))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return "", err
	}
	var lines []string
	for _, result := range results {
		for _, row := range result.Rows {
			lines = append(lines, string(bytes.Join(row, []byte("|"))))
		}
	}
	return strings.Join(lines, "\n"), nil
}

// logTail returns the last 4 KiB of the server's log.
func (pg *PG) logTail() string { return tail(pg.LogFile) }

func tail(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4096):])
}
