package servers

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A PG is a private PostgreSQL server. Over TCP the superuser is trusted and
// every other role needs its password (SCRAM); over the socket all are trusted.
type PG struct {
	Host      string // 127.0.0.1
	Port      int
	Superuser string // postgres
	BinDir    string // initdb, postgres, psql, pg_dump of the server's own version
	SocketDir string
	LogFile   string

	scratch   *scratch
	process   *process
	databases atomic.Int64
}

// Postgres starts a server for the test and stops it when the test is over.
// When the test has failed, the end of the server's log goes into the test's.
func Postgres(t testing.TB) *PG {
	t.Helper()
	skipShort(t, "PostgreSQL")
	pg, err := StartPostgres()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the server's log:\n%s", pg.LogTail())
		}
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	return pg
}

// StartPostgres is Postgres for TestMain and for programs: whoever calls it
// calls Stop. PG_BIN names another version's folder of programs; the default is
// the newest of /usr/lib/postgresql, then the PATH.
func StartPostgres() (pg *PG, err error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	account, err := serverAccount()
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s, err := newScratch(postgresBase(account), "postgres")
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
	pg = &PG{Host: "127.0.0.1", Superuser: "postgres", BinDir: bin, SocketDir: s.dir, LogFile: s.path("log"), scratch: s}
	if err := pg.initialise(account); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	// A free port can be lost to another process before the server binds it.
	for range 10 {
		if err = pg.listen(account); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w\n%s", err, pg.LogTail())
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

// CreateDB makes an empty database, dropped again when the test is over.
func (pg *PG) CreateDB(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", pg.databases.Add(1))
	pg.Psql(t, "postgres", "CREATE DATABASE "+name)
	t.Cleanup(func() { pg.Psql(t, "postgres", "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return name
}

// Psql runs sql, one or many statements or meta-commands, as the superuser and
// returns what psql prints: rows unaligned, without headers or the last newline.
func (pg *PG) Psql(t testing.TB, db, sql string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(pg.BinDir, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", pg.DSN(db))
	cmd.Stdin = strings.NewReader(sql)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("psql %s: %v\n%s\n%s", db, err, stderr.String(), sql)
	}
	return strings.TrimSuffix(stdout.String(), "\n")
}

// LogTail returns the last 4 KiB of the server's log.
func (pg *PG) LogTail() string {
	text, err := os.ReadFile(pg.LogFile)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4096):])
}

// settings are for a server whose data nobody will miss. Dynamic shared memory
// is in files because a container's /dev/shm may be small, and because nothing
// then stays behind outside the folder.
const settings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = '%s'
dynamic_shared_memory_type = mmap
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = logical
max_connections = 200
max_prepared_transactions = 10
max_locks_per_transaction = 256
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
`

const clientAuth = `
local all         all                    trust
host  all         postgres 127.0.0.1/32  trust
host  replication postgres 127.0.0.1/32  trust
host  all         all      127.0.0.1/32  scram-sha-256
`

func (pg *PG) initialise(account account) error {
	data := pg.scratch.path("data")
	cmd := exec.Command(filepath.Join(pg.BinDir, "initdb"), "-D", data, "-U", pg.Superuser,
		"-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "--no-sync")
	cmd.Dir = pg.scratch.dir
	cmd.Env = serverEnv()
	account.apply(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	// A later setting wins over what initdb wrote.
	conf, err := os.OpenFile(filepath.Join(data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conf, settings, pg.SocketDir)
	if err := errors.Join(err, conf.Close()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(clientAuth), 0o600)
}

var errPortTaken = errors.New("port taken")

// listen starts the server on a free port and returns when it is ready.
func (pg *PG) listen(account account) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	log, err := os.Create(pg.LogFile)
	if err != nil {
		return err
	}
	defer log.Close() // the server has its own copy

	data := pg.scratch.path("data")
	cmd := exec.Command(filepath.Join(pg.BinDir, "postgres"), "-D", data, "-p", strconv.Itoa(port))
	cmd.Dir = pg.scratch.dir
	cmd.Env = serverEnv()
	cmd.Stdout, cmd.Stderr = log, log
	account.apply(cmd)
	// SIGQUIT is an immediate shutdown: no backend and no shared memory stays.
	process, err := startProcess(cmd, syscall.SIGQUIT)
	if err != nil {
		return err
	}
	err = process.waitReady(time.Minute, func() bool { return postmasterReady(data) })
	if err != nil {
		_ = process.stop(syscall.SIGQUIT, 5*time.Second)
		if strings.Contains(pg.LogTail(), "Address already in use") {
			return errPortTaken
		}
		return err
	}
	pg.Port, pg.process = port, process
	return nil
}

// postmasterReady reads the state where pg_ctl -w does: it is this server's own
// word, where an answer on the port could be another's.
func postmasterReady(data string) bool {
	text, _ := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	lines := strings.Split(string(text), "\n")
	return len(lines) >= 8 && strings.TrimSpace(lines[7]) == "ready"
}

// serverEnv keeps the caller's PG* and LC_* variables away from the server.
func serverEnv() []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// maxSocketDir leaves room for "/.s.PGSQL.65535" in the 107 bytes of a socket's path.
const maxSocketDir = 107 - len("/.s.PGSQL.65535")

// postgresBase is the folder that the server's own is made in: TMPDIR, unless
// the server's account does not get there or sockets' paths would be too long.
func postgresBase(account account) string {
	base := os.TempDir()
	const name = "/breaking-backups-postgres-1234567890"
	if len(base)+len(name) > maxSocketDir || !account.reaches(base) {
		return "/tmp"
	}
	return base
}

func postgresBin() (string, error) {
	if bin := os.Getenv("PG_BIN"); bin != "" {
		if !hasServer(bin) {
			return "", fmt.Errorf("find PostgreSQL: no initdb and postgres in PG_BIN=%s", bin)
		}
		return bin, nil
	}
	newest, version := "", 0
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, dir := range dirs {
		n, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err == nil && n > version && hasServer(dir) {
			newest, version = dir, n
		}
	}
	if newest != "" {
		return newest, nil
	}
	if path, err := exec.LookPath("postgres"); err == nil && hasServer(filepath.Dir(path)) {
		return filepath.Dir(path), nil
	}
	return "", errors.New("find PostgreSQL: not installed; on Debian: apt-get install -y --no-install-recommends postgresql")
}

func hasServer(dir string) bool {
	return isFile(filepath.Join(dir, "initdb")) && isFile(filepath.Join(dir, "postgres")) && isFile(filepath.Join(dir, "psql"))
}
