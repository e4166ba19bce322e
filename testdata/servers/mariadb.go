package servers

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A MySQL is a private server of the MySQL family: MariaDB or Oracle's MySQL. Its only account is
// the superuser, without a password, over the socket and from 127.0.0.1.
type MySQL struct {
	Host      string // 127.0.0.1
	Port      int
	Superuser string // root
	Password  string // none
	Socket    string
	LogFile   string
	IsMariaDB bool
	Client    string // path of mariadb or mysql, of the server's own version
	Dumper    string // path of mariadb-dump or mysqldump

	programs  mysqlPrograms
	scratch   *scratch
	process   *process
	databases atomic.Int64
}

// MariaDB starts a server for the test and stops it when the test is over. Options are the server's
// own: "--sql-mode=ANSI_QUOTES". When the test has failed, the end of the server's log goes into
// the test's.
func MariaDB(t testing.TB, options ...string) *MySQL {
	t.Helper()
	skipShort(t, "MariaDB")
	my, err := StartMariaDB(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the server's log:\n%s", my.logTail())
		}
		if err := my.Stop(); err != nil {
			t.Error(err)
		}
	})
	return my
}

// StartMariaDB is MariaDB for TestMain and for programs: whoever calls it calls Stop. MYSQL_BIN
// names a folder of programs of another version, or of MySQL's; the default is the machine's
// MariaDB, then its MySQL.
func StartMariaDB(options ...string) (my *MySQL, err error) {
	programs, err := findMySQL()
	if err != nil {
		return nil, err
	}
	my = &MySQL{
		Host: "127.0.0.1", Superuser: "root", IsMariaDB: programs.install != "",
		Client: programs.client, Dumper: programs.dumper, programs: programs,
	}
	if err := my.start(options); err != nil {
		return nil, fmt.Errorf("start %s: %w", my.name(), err)
	}
	return my, nil
}

func (my *MySQL) name() string {
	if my.IsMariaDB {
		return "MariaDB"
	}
	return "MySQL"
}

// Stop ends the server at once, as its data is thrown away, and removes its folder.
func (my *MySQL) Stop() error {
	return errors.Join(my.process.stop(syscall.SIGKILL, 20*time.Second), my.scratch.remove())
}

// DSN is the superuser's connection to db, as go-sql-driver/mysql takes it; db may be empty.
func (my *MySQL) DSN(db string) string {
	return fmt.Sprintf("%s@tcp(%s:%d)/%s", my.Superuser, my.Host, my.Port, db)
}

// Env is the same connection as this program's environment variables, of which the server's own
// clients know two: MYSQL_HOST and MYSQL_TCP_PORT.
func (my *MySQL) Env(db string) []string {
	port := strconv.Itoa(my.Port)
	return []string{
		"MYSQL_HOST=" + my.Host, "MYSQL_PORT=" + port, "MYSQL_USER=" + my.Superuser, "MYSQL_PASSWORD=" + my.Password,
		"MYSQL_DATABASE=" + db, "MYSQL_TCP_PORT=" + port, "MYSQL_UNIX_PORT=" + my.Socket,
	}
}

// Command is one of the server's own clients, Client or Dumper for example, as the superuser: no
// file of options is read.
func (my *MySQL) Command(program string, args ...string) *exec.Cmd {
	connection := []string{"--no-defaults", "--socket=" + my.Socket, "--user=" + my.Superuser, "--default-character-set=utf8mb4"}
	cmd := exec.Command(program, append(connection, args...)...)
	cmd.Env = serverEnv()
	return cmd
}

// CreateDB makes an empty database, dropped again when the test is over.
func (my *MySQL) CreateDB(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", my.databases.Add(1))
	my.Query(t, "", "CREATE DATABASE "+name)
	t.Cleanup(func() { my.Query(t, "", "DROP DATABASE IF EXISTS "+name) })
	return name
}

// Query runs sql, one or many statements or client commands, as the superuser, in db unless that is
// empty. It returns what the client prints: a line a row, columns separated by tabs, without
// headers, escapes or the last newline.
func (my *MySQL) Query(t testing.TB, db, sql string) string {
	t.Helper()
	args := []string{"--batch", "--raw", "--skip-column-names"}
	if db != "" {
		args = append(args, "--database="+db)
	}
	cmd := my.Command(my.Client, args...)
	cmd.Stdin = strings.NewReader(sql)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s\n%.4096s", my.Client, db, err, stderr.String(), sql)
	}
	return strings.TrimSuffix(stdout.String(), "\n")
}

// logTail returns the last 4 KiB of the server's log.
func (my *MySQL) logTail() string { return tail(my.LogFile) }
