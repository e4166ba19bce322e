//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
)

// While a lock is waited for, whose restic may have been killed, the database is not held.
func TestLockAwaitedWithoutDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.snapshots(t)
	repository := restictest.Repository{Restic: w.restic, Env: w.env, Folder: w.repo}
	lock := repository.WriteLock(t, map[string]any{"time": time.Now(), "exclusive": true, "hostname": "elsewhere", "username": "x", "pid": 1})

	p := w.start(t, nil, nil, "BACKUP_MODE=stream", "LOCK_WAIT_SECONDS=0")
	p.wantExit(t, 1)
	p.says(t, "which holds it alone")
	p.says(t, "restic unlock") // what a person can do

	p = w.start(t, nil, nil, "LOCK_WAIT_SECONDS=120")
	p.says(t, "the repository is locked")
	sessions := func() string {
		return w.pg.Psql(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = '"+w.db+"'")
	}
	if !poll(time.Minute, func() bool { return sessions() == "0" }) {
		t.Errorf("%s sessions hold the database while the lock is waited for", sessions())
	}
	if err := os.Remove(filepath.Join(w.repo, "locks", lock)); err != nil {
		t.Fatal(err)
	}
	p.wantExit(t, 0)
	if after := w.snapshots(t); after != before+1 {
		t.Errorf("%d snapshots after %d", after, before)
	}
	w.sound(t)
}
