//go:build linux

package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// world is a database of some size and a repository, and what a backup of the one into the other
// needs.
type world struct {
	pg     *servers.PG
	restic string
	db     string
	repo   string
	work   string
	env    []string
}

// dumpBytes is about what the server sends for a dump of a world's database.
const dumpBytes = 20 << 20

func newWorld(t *testing.T) *world {
	t.Helper()
	adopt(t)
	dir := t.TempDir()
	w := &world{pg: servers.Postgres(t), restic: servers.Restic(t), repo: filepath.Join(dir, "repo"), work: filepath.Join(dir, "work")}
	w.db = w.pg.CreateDB(t)
	w.pg.Psql(t, w.db, `CREATE TABLE orders (id int PRIMARY KEY, note text);
		INSERT INTO orders SELECT i, md5(i::text) || md5((-i)::text) FROM generate_series(1, 320000) i`)
	w.env = append(os.Environ(), w.pg.Env(w.db)...)
	w.env = append(
		w.env,
		"DB_TYPE=postgres", "JOB_NAME=shop", "RESTIC_HOST=db", "RESTIC_REPOSITORY="+w.repo, "RESTIC_PASSWORD=correct horse", "RESTIC_BINARY="+w.restic,
		"RESTIC_CACHE_DIR="+filepath.Join(dir, "cache"), "WORK_DIR="+w.work, "LOG_FORMAT=text", "BACKUP_RETRY_SECONDS=1",
	)
	w.succeed(t)
	w.repository().CheapKey(t, "correct horse")
	return w
}

func (w *world) repository() restictest.Repository {
	return restictest.Repository{Restic: w.restic, Env: w.env, Folder: w.repo}
}

// program is one run of the program.
type program struct {
	*exec.Cmd
	children []int // of a program that was signalled
	stderr   *lines
	ended    chan struct{}
	err      error
}

// start begins run-once behind the gate, if there is one, with more variables. Words before the
// program's name may wrap it.
func (w *world) start(t *testing.T, g *gate, wrapper []string, variables ...string) *program {
	t.Helper()
	argv := append(slices.Clone(wrapper), "breaking-backups", "run-once")
	p := &program{Cmd: exec.Command(argv[0], argv[1:]...), stderr: &lines{}, ended: make(chan struct{})}
	p.Env = append(slices.Clone(w.env), variables...)
	if g != nil {
		p.Env = append(p.Env, "PGPORT="+strconv.Itoa(g.port()))
	}
	p.Stderr = p.stderr
	p.run(t)
	return p
}

// run starts the program, and waits for it.
func (p *program) run(t *testing.T) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
	})
}

// wait is the exit code, -1 after a kill.
func (p *program) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		t.Fatalf("the program does not end\n%s", p.stderr)
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		t.Fatal(p.err)
	}
	return p.ProcessState.ExitCode()
}

func (p *program) wantExit(t *testing.T, want int) {
	t.Helper()
	if got := p.wait(t); got != want {
		t.Fatalf("exit code %d, want %d\n%s", got, want, p.stderr)
	}
	p.bury(t)
}

// middle waits until the gate has let its bytes through.
func (p *program) middle(t *testing.T, g *gate) {
	t.Helper()
	select {
	case <-g.reached:
	case <-p.ended:
		t.Fatalf("the program ended before it came to the gate\n%s", p.stderr)
	case <-time.After(time.Minute):
		t.Fatalf("the dump does not come to the gate\n%s", p.stderr)
	}
}

// says waits until the program has written text.
func (p *program) says(t *testing.T, text string) {
	t.Helper()
	if !poll(time.Minute, func() bool { return strings.Contains(p.stderr.String(), text) }) {
		t.Fatalf("the program does not say %q\n%s", text, p.stderr)
	}
}

func (w *world) gate(t *testing.T, bytes int64) *gate {
	return newGate(t, net.JoinHostPort(w.pg.Host, strconv.Itoa(w.pg.Port)), bytes)
}

func (w *world) files(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return len(entries)
}

// stored counts what the repository holds in a folder. A restic killed while it writes a file
// leaves it behind under a temporary name, which restic itself never reads.
func (w *world) stored(t *testing.T, folder string) int {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(w.repo, folder, strings.Repeat("[0-9a-f]", 64)))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

func (w *world) snapshots(t *testing.T) int { t.Helper(); return w.stored(t, "snapshots") }

// succeed makes a backup that nothing disturbs.
func (w *world) succeed(t *testing.T) {
	t.Helper()
	before := w.snapshots(t)
	p := w.start(t, nil, nil)
	p.wantExit(t, 0)
	if after := w.snapshots(t); after != before+1 {
		t.Fatalf("%d snapshots after %d\n%s", after, before, p.stderr)
	}
}

// halfAnHourLater makes the locks of killed restics so old that they are known to be dead.
func (w *world) halfAnHourLater(t *testing.T) {
	t.Helper()
	w.repository().AgeLocks(t, 31*time.Minute)
}

// sound wants the repository without faults and the work folder empty, and that half an hour later
// a run leaves no lock of those that were killed.
func (w *world) sound(t *testing.T) {
	t.Helper()
	if w.stored(t, "locks") > 0 {
		w.halfAnHourLater(t)
		w.succeed(t)
	}
	if locks := w.stored(t, "locks"); locks != 0 {
		t.Errorf("%d locks are left", locks)
	}
	if spools := w.files(t, w.work); spools != 0 {
		t.Errorf("%d files are left in the work folder", spools)
	}
	check := exec.Command(w.restic, "check")
	check.Env = w.env
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("restic check: %v\n%s", err, out)
	}
}

// broken runs a test of one fault: act brings it about in a run that has come to the middle of its
// dump, and returns the run's exit code.
func (w *world) broken(t *testing.T, fault string, act func(t *testing.T)) {
	t.Run(fault, func(t *testing.T) {
		before := w.snapshots(t)
		act(t)
		if after := w.snapshots(t); after != before {
			t.Fatalf("%d snapshots after %d", after, before)
		}
		if locks := w.stored(t, "locks"); locks != 0 && fault != "restic killed" && fault != "signal twice" {
			t.Errorf("%d locks are left, though restic was let end", locks)
		}
		w.succeed(t)
		w.sound(t)
	})
}
