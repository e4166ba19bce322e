//go:build linux

package main

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// freeze stops the processes that a program has started, and returns what has them go on.
func (p *program) freeze(t *testing.T) (thaw func()) {
	t.Helper()
	list := children(t, p.Process.Pid)
	if len(list) == 0 {
		t.Fatal("there is no restic to freeze")
	}
	for _, child := range list {
		if err := syscall.Kill(child, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for _, child := range list {
			_ = syscall.Kill(child, syscall.SIGCONT)
		}
	}
}

// A store that takes nothing any more does not hold the database.
func TestFrozenStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sessions := func() string {
		return w.pg.Psql(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = '"+w.db+"'")
	}
	middle := func(t *testing.T, variables ...string) (*program, func()) {
		t.Helper()
		g := w.gate(t, dumpBytes/2)
		p := w.start(t, g, nil, variables...)
		p.middle(t, g)
		thaw := p.freeze(t)
		t.Cleanup(thaw)
		g.open()
		return p, thaw
	}
	t.Run("spilled", func(t *testing.T) {
		before := w.snapshots(t)
		p, thaw := middle(t, "STALL_TIMEOUT_SECONDS=4")
		p.says(t, "what is left of it is spooled")
		if !poll(time.Minute, func() bool { return sessions() == "0" }) {
			t.Errorf("%s sessions hold the database", sessions())
		}
		thaw()
		p.wantExit(t, 0)
		if after := w.snapshots(t); after != before+1 {
			t.Errorf("%d snapshots after %d", after, before)
		}
		w.sound(t)
		w.same(t)
	})
	t.Run("no folder for it", func(t *testing.T) {
		p, thaw := middle(t, "STALL_TIMEOUT_SECONDS=4", "WORK_DIR=/proc/none")
		p.wantExit(t, 1)
		p.says(t, "could not be put aside")
		thaw()
	})
	t.Run("streamed", func(t *testing.T) {
		before := w.snapshots(t)
		p, thaw := middle(t, "STALL_TIMEOUT_SECONDS=4", "BACKUP_MODE=stream")
		p.wantExit(t, 1)
		p.says(t, "nothing was taken for 4s")
		p.says(t, "STALL_TIMEOUT_SECONDS says")
		thaw()
		if after := w.snapshots(t); after != before {
			t.Errorf("%d snapshots after %d", after, before)
		}
	})
	t.Run("bounded", func(t *testing.T) {
		g := w.gate(t, dumpBytes/2)
		p := w.start(t, g, nil, "BACKUP_TIMEOUT_SECONDS=2")
		p.wantExit(t, 1)
		p.says(t, "not done within 2s (BACKUP_TIMEOUT_SECONDS)")
	})
}

// same wants the latest snapshot to hold what a dump gives.
func (w *world) same(t *testing.T) {
	t.Helper()
	run := func(name string, args ...string) string {
		cmd := exec.Command(name, args...)
		cmd.Env = w.env
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return string(out)
	}
	if got, want := run(w.restic, "dump", "latest", "/shop.sql"), run("breaking-backups", "dump"); got != want {
		t.Errorf("the snapshot holds %d bytes, a dump %d, and they are not the same", len(got), len(want))
	}
}

// A store that lets everybody connect and answers nothing ends every command that needs it.
func TestSilentStore(t *testing.T) {
	t.Parallel()
	pg, restic := servers.Postgres(t), servers.Restic(t)
	db := pg.CreateDB(t)
	pg.Psql(t, db, "CREATE TABLE t AS SELECT 1 AS a")
	port := newSilentServer(t)
	for _, args := range [][]string{{"snapshots"}, {"restore"}, {"forget-prune"}, {"init"}, {"run-once"}} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command("breaking-backups", args...)
			cmd.Env = append(os.Environ(), pg.Env(db)...)
			cmd.Env = append(
				cmd.Env, "DB_TYPE=postgres", "RESTIC_REPOSITORY=s3:http://"+net.JoinHostPort("127.0.0.1", port)+"/bucket/shop", "RESTIC_PASSWORD=x", "RESTIC_BINARY="+restic,
				"RESTIC_CACHE_DIR="+t.TempDir(), "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "STALL_TIMEOUT_SECONDS=2", "KEEP_LAST=1", "LOG_FORMAT=text",
			)
			began := time.Now()
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != 1 {
				t.Errorf("exit code %s", strconv.Itoa(code))
			}
			if took := time.Since(began); took > 40*time.Second {
				t.Errorf("it took %s", took)
			}
			if !strings.Contains(string(out), "STALL_TIMEOUT_SECONDS") {
				t.Errorf("it does not say what would help: %s", out)
			}
		})
	}
}
