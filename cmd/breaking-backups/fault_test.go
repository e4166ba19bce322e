//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Whatever breaks in the middle of a backup: no snapshot is added, the next run succeeds without
// help, and the repository is sound.

func TestFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	w.broken(t, "database connection cut", func(t *testing.T) {
		g := w.gate(t, dumpBytes/2)
		p := w.start(t, g, nil)
		p.middle(t, g)
		w.pg.Psql(t, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+w.db+"'")
		g.open()
		p.wantExit(t, 1)
		p.says(t, "backup failed")
	})
	w.broken(t, "restic killed", func(t *testing.T) {
		g := w.gate(t, dumpBytes/2)
		p := w.start(t, g, nil, "BACKUP_MODE=stream")
		p.middle(t, g)
		killChildren(t, p.Process.Pid)
		g.open()
		p.wantExit(t, 1)
		p.says(t, "backup: restic was killed: out of memory?")
	})
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		w.broken(t, sig.String(), func(t *testing.T) {
			g := w.gate(t, dumpBytes/2)
			p := w.start(t, g, nil)
			p.middle(t, g)
			began := time.Now()
			p.signal(t, sig)
			p.wantExit(t, 128+int(sig))
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("ended after %s", took)
			}
			if locks := w.stored(t, "locks"); locks != 0 {
				t.Errorf("%d locks are left", locks)
			}
		})
	}
	w.broken(t, "signal twice", func(t *testing.T) {
		told, silent := newSilentReceiver(t)
		g := w.gate(t, dumpBytes/2)
		p := w.start(t, g, nil, "WEBHOOK_URL="+silent)
		p.middle(t, g)
		p.signal(t, syscall.SIGTERM)
		<-told // the program waits for an answer
		p.insist(t, syscall.SIGINT)
		p.wantExit(t, 130)
	})
	w.broken(t, "timeout's signals", func(t *testing.T) { // to the program, and in the same moment to its group
		g := w.gate(t, dumpBytes/2)
		p := w.start(t, g, []string{"timeout", "1h"})
		p.middle(t, g)
		p.signal(t, syscall.SIGTERM)
		p.wantExit(t, 143)
		p.says(t, "interrupted by SIGTERM")
	})
	w.broken(t, "repository unwritable", func(t *testing.T) {
		g := w.gate(t, dumpBytes/2)
		p := w.start(t, g, withoutPrivileges(), "BACKUP_MODE=stream")
		p.middle(t, g)
		w.chmodData(t, 0o500)
		g.open()
		p.wantExit(t, 1)
		p.says(t, "permission denied")
		w.chmodData(t, 0o700)
	})
	w.broken(t, "work folder full", func(t *testing.T) {
		if err := os.MkdirAll(w.work, 0o700); err != nil {
			t.Fatal(err)
		}
		// 64 MiB are to stay free, so little is left for a dump.
		wrapper := []string{"unshare", "--map-root-user", "--mount", "sh", "-c", `mount -t tmpfs -o size=66m tmpfs "$WORK_DIR" && exec "$@"`, "sh"}
		p := w.start(t, nil, wrapper, "BACKUP_MODE=spool")
		p.wantExit(t, 1)
		p.says(t, "not enough space in "+w.work)
		p.says(t, "hint=")
	})
}

// What happens to a run once its snapshot is made, or to its log, takes nothing from the snapshot.
func TestFaultsThatCostNoSnapshot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Run("signal while the webhook is told", func(t *testing.T) {
		before := w.snapshots(t)
		told, silent := newSilentReceiver(t)
		p := w.start(t, nil, nil, "WEBHOOK_URL="+silent)
		<-told
		began := time.Now()
		p.signal(t, syscall.SIGTERM)
		p.wantExit(t, 3)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("ended after %s", took)
		}
		p.says(t, "backup done")
		p.says(t, "notification failed")
		p.says(t, "interrupted by SIGTERM, having waited 4s more: webhook 127.0.0.1")
		if after := w.snapshots(t); after != before+1 {
			t.Errorf("%d snapshots after %d", after, before)
		}
	})
	t.Run("nobody reads the log", func(t *testing.T) {
		before := w.snapshots(t)
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		reader.Close()
		defer writer.Close()
		for _, command := range []string{"run-once", "forget-prune"} {
			cmd := exec.Command("breaking-backups", command)
			cmd.Env, cmd.Stdout, cmd.Stderr = w.env, writer, writer
			if err := cmd.Run(); err != nil {
				t.Errorf("%s: %v", command, err)
			}
		}
		if after := w.snapshots(t); after != before+1 {
			t.Errorf("%d snapshots after %d", after, before)
		}
	})
	t.Run("signal while nobody takes the dump", func(t *testing.T) {
		cmd := exec.Command("breaking-backups", "dump")
		cmd.Env = w.env
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := stdout.Read(make([]byte, 1)); err != nil { // more follows than a pipe holds
			t.Error(err)
		}
		began := time.Now()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		state, err := cmd.Process.Wait()
		if took := time.Since(began); err != nil || state.ExitCode() != 143 || took > 10*time.Second {
			t.Errorf("ended after %s: %v, %v", took, state, err)
		}
	})
	t.Run("nobody reads the dump", func(t *testing.T) {
		cmd := exec.Command("bash", "-c", `breaking-backups dump | head -c 1000 >/dev/null; exit "${PIPESTATUS[0]}"`)
		cmd.Env = w.env
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), "who read the dump has gone") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// With BACKUP_MODE=auto a run whose restic fails midway takes the way over the disk.
func TestFallBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	recovered := func(t *testing.T, p *program, before int) {
		t.Helper()
		p.wantExit(t, 0)
		p.says(t, "dump spooled")
		if after := w.snapshots(t); after != before+1 {
			t.Errorf("%d snapshots after %d", after, before)
		}
		w.sound(t)
	}
	t.Run("restic killed", func(t *testing.T) {
		before := w.snapshots(t)
		g := w.gate(t, dumpBytes/2)
		p := w.start(t, g, nil)
		p.middle(t, g)
		killChildren(t, p.Process.Pid)
		g.open()
		recovered(t, p, before)
	})
	t.Run("repository unwritable for a while", func(t *testing.T) {
		before := w.snapshots(t)
		w.pg.Psql(t, w.db, "UPDATE orders SET note = md5(note) || md5(id::text)")
		g := w.gate(t, dumpBytes/2)
		p := w.start(t, g, withoutPrivileges())
		p.middle(t, g)
		w.chmodData(t, 0o500)
		g.open()
		p.says(t, "storing the spooled dump failed, it is tried again")
		w.chmodData(t, 0o700)
		recovered(t, p, before)
	})
	t.Run("killed while spooling", func(t *testing.T) {
		before := w.snapshots(t)
		g := w.gate(t, dumpBytes/2)
		p := w.start(t, g, nil, "BACKUP_MODE=spool")
		p.middle(t, g)
		p.signal(t, syscall.SIGKILL)
		p.wantExit(t, -1)
		if left := w.files(t, w.work); left != 1 {
			t.Errorf("%d files in the work folder, want the spool", left)
		}
		p = w.start(t, nil, nil, "BACKUP_MODE=spool")
		p.wantExit(t, 0)
		p.says(t, "leftovers of a killed run removed")
		if after := w.snapshots(t); after != before+1 {
			t.Errorf("%d snapshots after %d", after, before)
		}
		w.sound(t)
	})
}

// kill -9 at 20 random places of a streaming backup.
func TestKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 20 {
		at := 1 + rand.Int64N(dumpBytes)
		before := w.snapshots(t)
		g := w.gate(t, at)
		p := w.start(t, g, nil)
		p.middle(t, g)
		p.signal(t, syscall.SIGKILL)
		p.wantExit(t, -1)
		if after := w.snapshots(t); after != before {
			t.Fatalf("killed at byte %d: %d snapshots after %d", at, after, before)
		}
		w.succeed(t)
		if i%5 == 4 {
			w.sound(t)
		}
	}
}

// signal sends the program a signal, and notes what it has started: if the program does not live to
// wait for it, the test must.
func (p *program) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	p.children = append(p.children, children(t, p.Process.Pid)...)
	if err := p.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// insist sends the program a signal again and again until it ends.
func (p *program) insist(t *testing.T, sig syscall.Signal) {
	t.Helper()
	p.children = append(p.children, children(t, p.Process.Pid)...)
	ended := func() bool {
		select {
		case <-p.ended:
			return true
		default:
			return p.Process.Signal(sig) != nil
		}
	}
	if !poll(time.Minute, ended) {
		t.Fatalf("the program does not end\n%s", p.stderr)
	}
}

// killChildren kills the processes that pid has started.
func killChildren(t *testing.T, pid int) {
	t.Helper()
	list := children(t, pid)
	if len(list) == 0 {
		t.Fatal("there is no restic to kill")
	}
	for _, child := range list {
		if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
}

// children returns the processes that pid has started and not waited for.
func children(t *testing.T, pid int) []int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for child := range strings.FieldsSeq(string(text)) {
			id, err := strconv.Atoi(child)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, id)
		}
	}
	return pids
}

// adopt makes this process the parent of those whose own was killed, in place of the machine's
// first process, so that their end can be waited for.
func adopt(t *testing.T) {
	t.Helper()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
}

// bury waits for the children that a program which has ended left behind.
func (p *program) bury(t *testing.T) {
	t.Helper()
	for _, pid := range p.children {
		for {
			_, err := syscall.Wait4(pid, nil, 0, nil)
			if err == syscall.EINTR {
				continue
			}
			if err != nil && err != syscall.ECHILD { // the program has waited for it
				t.Fatal(err)
			}
			break
		}
	}
}

// withoutPrivileges wraps a command so that root, too, is held to the modes of files.
func withoutPrivileges() []string {
	if os.Geteuid() != 0 {
		return nil
	}
	return []string{"setpriv", "--bounding-set=-all", "--inh-caps=-all"}
}

// chmodData sets the mode of the folders that hold the repository's data.
func (w *world) chmodData(t *testing.T, mode os.FileMode) {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(w.repo, "data", "*"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("%d folders, %v", len(folders), err)
	}
	for _, folder := range folders {
		if err := os.Chmod(folder, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// newSilentReceiver is a webhook that takes reports and never answers. told is closed when the
// first one has come.
func newSilentReceiver(t *testing.T) (told <-chan struct{}, address string) {
	t.Helper()
	first, over := context.WithCancel(t.Context())
	arrived := make(chan struct{})
	arrive := sync.OnceFunc(func() { close(arrived) })
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrive()
		select {
		case <-first.Done():
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() {
		over()
		server.CloseClientConnections()
		server.Close()
	})
	return arrived, server.URL
}
