package servers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// settings are for a server whose data nobody will miss. Dynamic shared memory is in files because
// a container's /dev/shm may be small, and because nothing then stays behind outside the folder.
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

func (pg *PG) initialise(account account, more string) error {
	data := pg.scratch.path("data")
	cmd := exec.Command(filepath.Join(pg.programs, "initdb"), "-D", data, "-U", pg.Superuser,
		"-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "--no-sync")
	cmd.Dir = pg.scratch.dir
	cmd.Env = pg.env()
	account.apply(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	// A later setting wins over what initdb wrote.
	conf, err := os.OpenFile(filepath.Join(data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conf, settings+more, pg.SocketDir)
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
	cmd := exec.Command(filepath.Join(pg.programs, "postgres"), "-D", data, "-p", strconv.Itoa(port))
	cmd.Dir = pg.scratch.dir
	cmd.Env = pg.env()
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
		if strings.Contains(pg.logTail(), "Address already in use") {
			return errPortTaken
		}
		return err
	}
	pg.Port, pg.process = port, process
	return nil
}

// postmasterReady reads the state where pg_ctl -w does: it is this server's own word, where an
// answer on the port could be another's.
func postmasterReady(data string) bool {
	text, _ := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	lines := strings.Split(string(text), "\n")
	return len(lines) >= 8 && strings.TrimSpace(lines[7]) == "ready"
}

// serverEnv keeps the caller's PG* and LC_* variables away from the server.
func serverEnv() []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
}

// env is serverEnv for programs that may bring their own libraries, not all of which know where the
// others are.
func (pg *PG) env() []string {
	env := serverEnv()
	if lib := broughtLibraries(pg.programs); lib != "" {
		env = append(env, "LD_LIBRARY_PATH="+lib)
	}
	return env
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func postgresBin() (string, error) {
	if bin := os.Getenv("PG_BIN"); bin != "" {
		if !hasServer(bin) {
			return "", fmt.Errorf("find PostgreSQL: no initdb and postgres in PG_BIN=%s", bin)
		}
		return bin, nil
	}
	if bin := newestInstalled(); hasServer(bin) {
		return bin, nil
	}
	if path, err := exec.LookPath("postgres"); err == nil && hasServer(filepath.Dir(path)) && hasClients(filepath.Dir(path)) {
		return filepath.Dir(path), nil
	}
	return "", errNotInstalled
}

var errNotInstalled = errors.New("find PostgreSQL: not installed; on Debian: apt-get install -y --no-install-recommends postgresql")

// newestInstalled is Debian's folder of programs of the newest version with server and clients; ""
// where there is none.
func newestInstalled() string {
	newest, version := "", 0
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, dir := range dirs {
		n, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err == nil && n > version && hasServer(dir) && hasClients(dir) {
			newest, version = dir, n
		}
	}
	return newest
}

// clientsFor is the folder of client programs for the server of the programs in bin: bin itself,
// unless it has none.
func clientsFor(bin string) (string, error) {
	if hasClients(bin) {
		return bin, nil
	}
	if dir := newestInstalled(); dir != "" {
		return dir, nil
	}
	if path, err := exec.LookPath("psql"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errNotInstalled
}

func hasServer(dir string) bool {
	return isFile(filepath.Join(dir, "initdb")) && isFile(filepath.Join(dir, "postgres"))
}

func hasClients(dir string) bool { return isFile(filepath.Join(dir, "psql")) }
