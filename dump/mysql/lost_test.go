package mysql

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A server that dies, is shut down, or ends the sessions, in the middle of a load or a dump, is
// said to have ended the connection, with its last words where it had any.
func TestServerEndsMidway(t *testing.T) {
	const ended = "the server has ended the connection, with"
	for name, end := range map[string]func(*testing.T, *testMySQL){
		"killed":    func(t *testing.T, my *testMySQL) { my.signal(t, syscall.SIGKILL) },
		"shut down": func(t *testing.T, my *testMySQL) { my.signal(t, syscall.SIGTERM) },
		"sessions killed": func(t *testing.T, my *testMySQL) {
			my.Query(t, "", "SELECT SLEEP(0)")
			for id := range strings.SplitSeq(my.Query(t, "", "SELECT id FROM information_schema.processlist WHERE host LIKE '127.0.0.1:%'"), "\n") {
				my.Query(t, "", "KILL CONNECTION "+id)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			my := newTestMySQL(servers.MariaDB(t))
			row := func(i int) string { return fmt.Sprintf("(%d,'%s')", i, strings.Repeat("x", 100_000)) }
			my.Query(t, "", "CREATE DATABASE dumped; CREATE DATABASE loaded")
			stream := my.written(t, dump.Manifest{spreadTable("t", 400, row)}, spreadRows("t", 400, row))
			if err := my.load(t, LoadConfig{Database: "dumped"}, stream); err != nil {
				t.Fatal(err)
			}
			r, w := io.Pipe()
			dumped, half := io.Pipe()
			done := make(chan error, 2)
			go func() {
				var told []string
				done <- my.loader(t, LoadConfig{Database: "loaded", Refused: func(r dump.Refusal) { told = append(told, r.What) }}).Load(t.Context(), r)
				if len(told) > 0 {
					t.Errorf("what was lost counts as refused: %q", told)
				}
			}()
			go func() {
				err := my.source(t, Config{Databases: []string{"dumped"}}).Dump(t.Context(), half)
				half.CloseWithError(err)
				done <- err
			}()
			_, err := w.Write(stream[:len(stream)/2])
			if err == nil {
				_, err = io.CopyN(io.Discard, dumped, 20<<10) // what is behind it waits for its reader
			}
			if err != nil {
				t.Fatal(err)
			}
			end(t, my)
			go func() { _, _ = w.Write(stream[len(stream)/2:]) }()
			go func() { _, _ = io.Copy(io.Discard, dumped) }()
			for range 2 {
				if err := <-done; err == nil || strings.Count(err.Error(), ended) != 1 || strings.Contains(err.Error(), ".go:") {
					t.Errorf("error %v", err)
				} else {
					t.Log(err)
				}
			}
		})
	}
}

// signal sends the server's process a signal.
func (my *testMySQL) signal(t *testing.T, sig syscall.Signal) {
	pid, err := os.ReadFile(my.Query(t, "", "SELECT @@pid_file"))
	if err != nil {
		t.Error(err)
		return
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	if err == nil {
		var server *os.Process
		if server, err = os.FindProcess(n); err == nil {
			err = server.Signal(sig)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// The words with which a server ends a session are those that are told, and no refusal that a load
// goes on behind.
func TestLastWords(t *testing.T) {
	my := testServer(t)
	said := "SIGNAL SQLSTATE '08S01' SET MYSQL_ERRNO = 1053, MESSAGE_TEXT = 'Server shutdown in progress'" // by whoever is asked to
	told, err := my.goOn(t, LoadConfig{Database: my.CreateDB(t)}, my.written(t, nil, said+";\n"))
	if want := "the server has ended the connection, with the words: Error 1053 (08S01): Server shutdown in progress"; err == nil || !strings.Contains(err.Error(), want) || len(told) > 0 {
		t.Errorf("error %v, want %s; told %q", err, want, told)
	}
}
