package mysql

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
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
	if shared.my != nil {
		if err := shared.my.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the server:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// A testMySQL is a server of the tests' own, of the version that MYSQL_BIN names.
type testMySQL struct {
	*servers.MySQL
	address Server
	family  server.Family
}

func newTestMySQL(my *servers.MySQL) *testMySQL {
	m := &testMySQL{MySQL: my, address: Server{Host: my.Host, Port: my.Port, User: my.Superuser, Password: my.Password}, family: server.MySQL}
	if my.IsMariaDB {
		m.family = server.MariaDB
	}
	return m
}

// testServer returns the shared server, which the first call starts.
func testServer(t *testing.T) *testMySQL {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a MariaDB or MySQL server")
	}
	shared.Do(func() {
		my, err := servers.StartMariaDB()
		if err != nil {
			shared.err = err
			return
		}
		shared.my = newTestMySQL(my)
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.my
}

// connect opens a session as this program does.
func (my *testMySQL) connect(ctx context.Context) (*server.Conn, error) {
	cc, err := my.address.Driver()
	if err != nil {
		return nil, err
	}
	return server.Connect(ctx, cc)
}

// client runs SQL with the server's own client, as a user without this program would.
func (my *testMySQL) client(t *testing.T, db string, sql []byte) {
	t.Helper()
	args := []string{"--comments", "--max-allowed-packet=1G"}
	if db != "" {
		args = append(args, "--database="+db)
	}
	my.run(t, sql, my.Command(my.Client, args...))
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

// mysqldump returns what the server's own dump tool writes, a row a statement and in the order of
// the keys, without what differs from run to run.
func (my *testMySQL) mysqldump(t *testing.T, args ...string) string {
	t.Helper()
	all := []string{"--single-transaction", "--routines", "--triggers", "--events", "--hex-blob", "--max-allowed-packet=1G", "--skip-dump-date", "--order-by-primary", "--skip-extended-insert"}
	if my.family == server.MySQL {
		all = append(all, "--set-gtid-purged=OFF")
	}
	return varying.ReplaceAllString(my.run(t, nil, my.Command(my.Dumper, append(all, args...)...)), "")
}

var varying = regexp.MustCompile(`(?m)^-- (Host:|Dumping (events|routines) for database) .*\n`)

// source is a Source of this server's.
func (my *testMySQL) source(t *testing.T, cfg Config) *Source {
	t.Helper()
	if cfg.Server == (Server{}) {
		cfg.Server = my.address
	}
	if cfg.Warn == nil {
		cfg.Warn = func(text string) { t.Log("warning:", text) }
	}
	s, err := NewSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dump returns what a Source writes.
func (my *testMySQL) dump(t *testing.T, cfg Config) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := my.source(t, cfg).Dump(t.Context(), &buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// loader is a Loader into this server.
func (my *testMySQL) loader(t *testing.T, cfg LoadConfig) *Loader {
	t.Helper()
	if cfg.Server == (Server{}) {
		cfg.Server = my.address
	}
	if cfg.Warn == nil {
		cfg.Warn = func(text string) { t.Log("warning:", text) }
	}
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// load loads a stream.
func (my *testMySQL) load(t *testing.T, cfg LoadConfig, stream []byte) error {
	t.Helper()
	return my.loader(t, cfg).Load(t.Context(), bytes.NewReader(stream))
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lines are for a diff.
func lines(text string) []string { return strings.Split(text, "\n") }
