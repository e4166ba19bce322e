package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// newSilentServer is one that lets everybody connect and says nothing. It returns its port.
func newSilentServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	var mu sync.Mutex
	var held []net.Conn
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			held = append(held, conn)
			mu.Unlock()
		}
	})
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
		for _, conn := range held {
			conn.Close()
		}
	})
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// A server that accepts and says nothing is given up after CONNECT_TIMEOUT_SECONDS, by whatever
// needs it.
func TestSilentServers(t *testing.T) {
	t.Parallel()
	port, restic := newSilentServer(t), servers.Restic(t)
	whole := filepath.Join(t.TempDir(), "whole.sql")
	var stream bytes.Buffer
	w := dump.NewWriter(&stream, "postgres")
	_, _ = w.Write([]byte("CREATE TABLE t ();\n"))
	if err := w.End(nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(whole, stream.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for engine, env := range map[string][]string{
		"postgres": {"PGHOST=127.0.0.1", "PGPORT=" + port, "PGUSER=x", "PGDATABASE=x"},
		"mysql":    {"MYSQL_HOST=127.0.0.1", "MYSQL_PORT=" + port, "MYSQL_DATABASE=x"},
		"mongo":    {"MONGO_HOST=127.0.0.1", "MONGO_PORT=" + port},
	} {
		commands := [][]string{{"dump"}, {"run-once"}}
		if engine == "postgres" { // each engine has one way to connect, whatever for
			commands = append(commands, []string{"restore", "--clean", "--file", whole})
		}
		for _, args := range commands {
			t.Run(engine+" "+args[0], func(t *testing.T) {
				t.Parallel()
				cmd := exec.Command("breaking-backups", args...)
				cmd.Env = append(os.Environ(), env...)
				cmd.Env = append(
					cmd.Env, "DB_TYPE="+engine, "CONNECT_TIMEOUT_SECONDS=1", "LOG_FORMAT=text",
					"RESTIC_REPOSITORY="+t.TempDir(), "RESTIC_PASSWORD=x", "RESTIC_BINARY="+restic,
				)
				began := time.Now()
				out, _ := cmd.CombinedOutput()
				if code := cmd.ProcessState.ExitCode(); code != 1 {
					t.Errorf("exit code %d", code)
				}
				if took := time.Since(began); took > 20*time.Second {
					t.Errorf("it took %s", took)
				}
				if !strings.Contains(string(out), "CONNECT_TIMEOUT_SECONDS") {
					t.Errorf("it does not say what would help: %s", out)
				}
			})
		}
	}
}
