//go:build linux

package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/restic/restictest"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// SIGTERM ends every command within 10 seconds, wherever it waits, and not because time is up for
// whatever does not end.
func TestTerminated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	silent := []string{
		"RESTIC_REPOSITORY=s3:http://" + net.JoinHostPort("127.0.0.1", newSilentServer(t)) + "/bucket/shop",
		"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "KEEP_LAST=1",
	}
	asksStore := func(t *testing.T, p *program) {
		if !poll(time.Minute, func() bool { return len(children(t, p.Process.Pid)) > 0 }) {
			t.Fatalf("no restic is started\n%s", p.stderr)
		}
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args  []string
		env   []string
		gate  int64 // of the server's answers; 0: there is none
		ready func(t *testing.T, p *program)
	}{
		"dump of a frozen database":      {args: []string{"dump"}, gate: dumpBytes / 2},
		"backup of a frozen database":    {args: []string{"run-once"}, gate: dumpBytes / 2},
		"connection to a silent one":     {args: []string{"run-once"}, gate: 1, env: []string{"CONNECT_TIMEOUT_SECONDS=0"}},
		"backup into a silent store":     {args: []string{"run-once"}, env: silent, ready: asksStore},
		"forgetting in a silent store":   {args: []string{"forget-prune"}, env: silent, ready: asksStore},
		"init of a silent store":         {args: []string{"init"}, env: silent, ready: asksStore},
		"snapshots of a silent store":    {args: []string{"snapshots"}, env: silent, ready: asksStore},
		"restore from a silent store":    {args: []string{"restore"}, env: silent, ready: asksStore},
		"restore from a pipe":            {args: []string{"restore", "--file", fifo}, ready: func(t *testing.T, p *program) { p.says(t, "reading the dump to its end first") }},
		"restore into a silent database": {args: []string{"restore", "--clean"}, gate: 1, env: []string{"CONNECT_TIMEOUT_SECONDS=0"}},
		"schedule":                       {args: []string{"start"}, env: []string{"CRON_SCHEDULE=0 0 1 1 *"}, ready: func(t *testing.T, p *program) { p.says(t, "waiting for the first run") }},
	} {
		t.Run(name, func(t *testing.T) {
			var g *gate
			env := tt.env
			if tt.gate > 0 {
				g = w.gate(t, tt.gate)
				env = append(slices.Clone(env), "PGPORT="+strconv.Itoa(g.port()))
			}
			p := w.command(t, tt.args, env, nil)
			if g != nil {
				p.middle(t, g)
			}
			if tt.ready != nil {
				tt.ready(t, p)
			}
			p.wantTerminated(t)
		})
	}
	t.Run("lock of the repository", func(t *testing.T) {
		repository := restictest.Repository{Restic: w.restic, Env: w.env, Folder: w.repo}
		lock := repository.WriteLock(t, map[string]any{"time": time.Now(), "exclusive": true, "hostname": "elsewhere", "username": "x", "pid": 1})
		for _, command := range []string{"run-once", "restore"} {
			p := w.command(t, []string{command}, []string{"LOCK_WAIT_SECONDS=600"}, nil)
			p.says(t, "the repository is locked")
			p.wantTerminated(t)
		}
		if err := os.Remove(filepath.Join(w.repo, "locks", lock)); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("frozen restic", func(t *testing.T) {
		g := w.gate(t, dumpBytes/2)
		p := w.command(t, []string{"run-once"}, []string{"PGPORT=" + strconv.Itoa(g.port())}, nil)
		p.middle(t, g)
		t.Cleanup(p.freeze(t))
		g.open()
		p.wantTerminated(t)
	})
	t.Run("restore of rows that do not come", func(t *testing.T) {
		target := w.pg.CreateDB(t)
		pr, pw, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer pw.Close()
		p := w.command(t, []string{"restore", "--database", target, "--file", "-"}, nil, pr)
		pr.Close()
		if _, err := io.WriteString(dump.NewWriter(pw, "postgres"), "CREATE TABLE public.t (a integer);\nCOPY public.t FROM stdin;\n"+strings.Repeat("1\n", 1<<17)); err != nil {
			t.Fatal(err)
		}
		copying := func() bool {
			return w.pg.Psql(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = '"+target+"' AND query LIKE 'COPY%'") == "1"
		}
		if !poll(time.Minute, copying) {
			t.Fatalf("it does not come to the rows\n%s", p.stderr)
		}
		p.wantTerminated(t)
		p.says(t, "the target now holds a part of the dump")
	})
}

// command starts a command of the program.
func (w *world) command(t *testing.T, args, variables []string, stdin *os.File) *program {
	t.Helper()
	p := &program{Cmd: exec.Command("breaking-backups", args...), stderr: &lines{}, ended: make(chan struct{})}
	p.Env = append(slices.Clone(w.env), variables...)
	p.Stderr = p.stderr
	if stdin != nil {
		p.Stdin = stdin
	}
	p.run(t)
	return p
}

// wantTerminated sends SIGTERM, and wants the program to end of it, soon and by itself.
func (p *program) wantTerminated(t *testing.T) {
	t.Helper()
	began := time.Now()
	p.signal(t, syscall.SIGTERM)
	p.wantExit(t, 143)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it ended after %s", took)
	}
	if strings.Contains(p.stderr.String(), "something does not end") {
		t.Errorf("it did not end by itself\n%s", p.stderr)
	}
}

// The same of the other engines, whose drivers have ways of their own to wait.
func TestTerminatedOfOthers(t *testing.T) {
	t.Parallel()
	base := append(os.Environ(), "LOG_FORMAT=text", "CONNECT_TIMEOUT_SECONDS=0")
	t.Run("mariadb", func(t *testing.T) {
		my := servers.MariaDB(t)
		db := my.CreateDB(t)
		my.Query(t, db, "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, b LONGBLOB); INSERT INTO t (b) VALUES (REPEAT('x', 4000000)), (REPEAT('y', 4000000))")
		w := &world{env: append(append(slices.Clone(base), my.Env(db)...), "DB_TYPE=mariadb", "MYSQL_TLS=disabled", "MYSQL_SOCKET=", "MYSQL_HOST=127.0.0.1")}
		for _, bytes := range []int64{1, 2 << 20} { // while it connects, and within rows
			g := newGate(t, net.JoinHostPort(my.Host, strconv.Itoa(my.Port)), bytes)
			p := w.command(t, []string{"dump"}, []string{"MYSQL_PORT=" + strconv.Itoa(g.port())}, nil)
			p.middle(t, g)
			p.wantTerminated(t)
		}
	})
	t.Run("mongo", func(t *testing.T) {
		ferret := servers.Ferret(t)
		client, err := mongo.Connect(options.Client().ApplyURI(ferret.URI("")))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Disconnect(t.Context())
		for i := range 100 {
			if _, err := client.Database("terminated").Collection("c").InsertOne(t.Context(), bson.M{"_id": i, "text": strings.Repeat("x", 100_000)}); err != nil {
				t.Fatal(err)
			}
		}
		w := &world{env: append(slices.Clone(base), "DB_TYPE=mongo", "MONGO_DATABASE=terminated")}
		for _, bytes := range []int64{1, 2 << 20} {
			g := newGate(t, ferret.Host, bytes)
			p := w.command(t, []string{"dump"}, []string{"MONGO_URI=mongodb://127.0.0.1:" + strconv.Itoa(g.port()) + "/?directConnection=true"}, nil)
			p.middle(t, g)
			p.wantTerminated(t)
		}
	})
}
