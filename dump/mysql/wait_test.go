package mysql

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/dumptest"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// Readers and the writer wait for each other over little room. With many tables that have nothing
// for each to do they do so all the time. The room is that of 16 buffers a reader, so 300 tables
// are many; 3,000 are for what nobody thought of.
func TestManyEmptyTables(t *testing.T) {
	my := testServer(t)
	for tables, all := range map[int][]int{300: {1, 2, 3, 4, 5, 6, 7, 8}, 3000: {8}} {
		db := my.CreateDB(t)
		var script strings.Builder
		for i := range tables {
			fmt.Fprintf(&script, "CREATE TABLE t%04d (a INT PRIMARY KEY) ENGINE=MyISAM;\n", i)
			if i%50 == 0 && i < 300 { // with rows that fill more than one buffer
				fmt.Fprintf(&script, "CREATE TABLE t%04dx (a INT PRIMARY KEY, b LONGTEXT); INSERT INTO t%04[1]dx VALUES (1, REPEAT('x', 3000000)), (2, REPEAT('y', 3000000)), (3, '');\n", i)
			}
		}
		my.client(t, db, []byte(script.String()))
		var want []byte
		for _, jobs := range all {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			var b bytes.Buffer
			err := my.source(t, Config{Databases: []string{db}, Jobs: jobs, Warn: func(string) {}}).Dump(ctx, dumptest.NewSlow(uint64(jobs)).Writer(&b))
			cancel()
			if err != nil {
				t.Fatalf("%d tables, %d jobs: %v", tables, jobs, err)
			}
			if made := strings.Count(script.String(), "CREATE TABLE"); bytes.Count(b.Bytes(), []byte("\nCREATE TABLE ")) != made {
				t.Errorf("%d tables, %d jobs: not all are in the dump", made, jobs)
			}
			if want == nil {
				want = b.Bytes()
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("%d tables, %d jobs: another dump than with one", tables, jobs)
			}
		}
	}
}

// Rows go to a crew, and to a table after the other, however slowly they come.
func TestSlowLoads(t *testing.T) {
	my := testServer(t)
	var script strings.Builder
	row := func(i int) string { return fmt.Sprintf("(%d,'%s')", i, strings.Repeat("x", 50_000*(i%3))) }
	for table := range 6 {
		name := fmt.Sprint("t", table)
		script.WriteString(spreadRows(name, 60, row))
		fmt.Fprintf(&script, "ALTER TABLE `%s`\n  ADD KEY `k` (`b`(9));\n", name)
	}
	manifest := make(dump.Manifest, 6)
	for i := range manifest {
		manifest[i] = spreadTable(fmt.Sprint("t", i), 60, row)
	}
	stream := my.written(t, manifest, script.String())
	for jobs := 1; jobs <= 8; jobs++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		err := my.loader(t, LoadConfig{Database: my.CreateDB(t), Jobs: jobs}).Load(ctx, dumptest.NewSlow(uint64(jobs)).Reader(bytes.NewReader(stream)))
		cancel()
		if err != nil {
			t.Errorf("%d jobs: %v", jobs, err)
		}
	}
}

// A reader whose query is late finds the table locked by somebody who waits for another reader's
// table. That one must not be waiting for the writer, who waits for the first.
func TestReadersOpenTablesInOrder(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	my.Query(t, db, `CREATE TABLE a (id INT PRIMARY KEY);
		CREATE TABLE b (id INT PRIMARY KEY AUTO_INCREMENT, b LONGBLOB);
		INSERT INTO b (b) VALUES (REPEAT('x', 2000000)); INSERT INTO b (b) SELECT b FROM b; INSERT INTO b (b) SELECT b FROM b; INSERT INTO b (b) SELECT b FROM b; INSERT INTO b (b) SELECT b FROM b`)
	first, second := "SELECT `id` FROM "+quote.Name(db)+".`a`", "SELECT `id`, `b` FROM "+quote.Name(db)+".`b`"
	late := newLateDoor(t, net.JoinHostPort(my.Host, fmt.Sprint(my.Port)), first, second)
	address := my.address
	address.Host, address.Port, address.TLS.Mode = "127.0.0.1", late.port, TLSDisabled

	var locking sync.WaitGroup
	defer locking.Wait()
	locking.Go(func() {
		<-late.held
		select {
		case <-late.passed:
			locking.Go(func() { my.Query(t, db, "LOCK TABLES a WRITE, b WRITE") })
			for my.Query(t, "", "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock%'") == "0" {
			}
		case <-time.After(time.Second): // which is as it should be
		}
		close(late.release)
	})
	err := my.source(t, Config{Server: address, Databases: []string{db}, Jobs: 2, LockTimeout: 5 * time.Second}).Dump(t.Context(), io.Discard)
	if err != nil {
		t.Error(err)
	}
}

// A lateDoor passes bytes on to a server, but holds a first text back until release is closed.
type lateDoor struct {
	port                  int
	held, passed, release chan struct{} // the first text came, the second one did
}

func newLateDoor(t *testing.T, to, first, second string) *lateDoor {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &lateDoor{port: l.Addr().(*net.TCPAddr).Port, held: make(chan struct{}), passed: make(chan struct{}), release: make(chan struct{})}
	held, passed := sync.OnceFunc(func() { close(d.held) }), sync.OnceFunc(func() { close(d.passed) })
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", to)
			if err != nil {
				c.Close()
				continue
			}
			all.Go(func() { _, _ = io.Copy(c, s); c.Close() })
			all.Go(func() {
				defer s.Close()
				buf := make([]byte, 64<<10)
				for {
					n, err := c.Read(buf)
					switch {
					case bytes.Contains(buf[:n], []byte(first)):
						held()
						<-d.release
					case bytes.Contains(buf[:n], []byte(second)):
						passed()
					}
					if _, werr := s.Write(buf[:n]); err != nil || werr != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return d
}

// A server's defaults must not decide what is in a dump, nor what a load does.
func TestServersDefaults(t *testing.T) {
	my := testServer(t)
	db, to := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE a (id INT PRIMARY KEY); INSERT INTO a VALUES (1), (2), (3); CREATE TABLE b LIKE a; CREATE TABLE c LIKE a")
	want := my.dump(t, Config{Databases: []string{db}})
	my.Query(t, "", "SET GLOBAL sql_select_limit = 2, GLOBAL autocommit = 0")
	defer my.Query(t, "", "SET GLOBAL sql_select_limit = 18446744073709551615, GLOBAL autocommit = 1")
	if got := my.dump(t, Config{Databases: []string{db}}); !bytes.Equal(got, want) {
		t.Errorf("with other defaults the dump is\n%s", got)
	}
	for range 2 { // the second time what is there goes first
		if err := my.load(t, LoadConfig{Database: to, Clean: true}, want); err != nil {
			t.Fatal(err)
		}
	}
	if got := my.dump(t, Config{Databases: []string{to}}); !bytes.Equal(got, want) {
		t.Errorf("loaded with other defaults it is\n%s", got)
	}
}
