package mysql

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// The tests of this package share a server; each makes databases of its own.
var shared struct {
	sync.Once
	my  *testMySQL
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.my != nil && shared.my.own != nil {
		if err := shared.my.own.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the server:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// A testMySQL is a server with tools of its own version: one that the tests
// started, or the one that MYSQL_TEST_SERVER (host:port, root without a
// password) and MYSQL_TEST_TOOLS (what runs a tool: "chroot /srv/trixie") name.
type testMySQL struct {
	Server
	own       *servers.MySQL
	tools     []string
	srv       server
	databases atomic.Int64
}

// testServer returns the shared server, which the first call starts.
func testServer(t *testing.T) *testMySQL {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a MariaDB or MySQL server")
	}
	shared.Do(func() { shared.my, shared.err = startServer() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.my
}

func startServer() (*testMySQL, error) {
	my := &testMySQL{tools: strings.Fields(os.Getenv("MYSQL_TEST_TOOLS"))}
	if addr := os.Getenv("MYSQL_TEST_SERVER"); addr != "" {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, err
		}
		my.Server = Server{Host: host, Port: n, User: "root"}
	} else {
		var err error
		if my.own, err = servers.StartMariaDB(); err != nil {
			return nil, err
		}
		my.Server = Server{Host: my.own.Host, Port: my.own.Port, User: my.own.Superuser}
	}
	cc, err := my.connConfig()
	if err != nil {
		return my, err
	}
	c, srv, err := connect(background, cc)
	if err != nil {
		return my, err
	}
	c.close()
	my.srv = srv
	return my, nil
}

// newDB makes an empty database that is gone when the test is over.
func (my *testMySQL) newDB(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), my.databases.Add(1))
	my.query(t, "", "CREATE DATABASE "+ident(name))
	t.Cleanup(func() { my.query(t, "", "DROP DATABASE IF EXISTS "+ident(name)) })
	return name
}

// command is one of the server's own tools.
func (my *testMySQL) command(tool string, args ...string) *exec.Cmd {
	if my.own != nil {
		program := my.own.Client
		if tool == "dump" {
			program = my.own.Dumper
		}
		return my.own.Command(program, args...)
	}
	program := map[string]string{"MySQL client": "mysql", "MySQL dump": "mysqldump", "MariaDB client": "mariadb", "MariaDB dump": "mariadb-dump"}[string(my.srv.family)+" "+tool]
	all := append(my.tools[:len(my.tools):len(my.tools)], program, "-h"+my.Host, "-P"+strconv.Itoa(my.Port), "-uroot", "--default-character-set=utf8mb4")
	all = append(all, args...)
	return exec.Command(all[0], all[1:]...)
}

// client runs SQL with the server's own client, as a user without this program would.
func (my *testMySQL) client(t *testing.T, db string, sql []byte) string {
	t.Helper()
	args := []string{"--comments", "--batch", "--skip-column-names", "--max-allowed-packet=1G"}
	if db != "" {
		args = append(args, "--database="+db)
	}
	return my.run(t, sql, my.command("client", args...))
}

// query runs SQL and returns what the client prints.
func (my *testMySQL) query(t *testing.T, db, sql string) string {
	t.Helper()
	return strings.TrimSuffix(my.client(t, db, []byte(sql)), "\n")
}

func (my *testMySQL) run(t *testing.T, stdin []byte, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Path, err, stderr.Bytes())
	}
	return stdout.String()
}

// mysqldump returns what the server's own dump tool writes, a row a statement
// and in the order of the keys, without what differs from run to run.
func (my *testMySQL) mysqldump(t *testing.T, args ...string) string {
	t.Helper()
	all := []string{"--single-transaction", "--routines", "--triggers", "--events", "--hex-blob", "--max-allowed-packet=1G", "--skip-dump-date", "--order-by-primary", "--skip-extended-insert"}
	if my.srv.family == familyMySQL {
		all = append(all, "--set-gtid-purged=OFF")
	}
	out := my.run(t, nil, my.command("dump", append(all, args...)...))
	return varying.ReplaceAllString(out, "")
}

var varying = regexp.MustCompile(`(?m)^-- (Host:|Dumping (events|routines) for database) .*\n`)

// background is for what is not a test's own.
var background = context.Background()
