package restic

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/repository"
	"github.com/breaking-backups/breaking-backups/restic/restictest"
)

// tooOld is more than the time after which a lock that nobody refreshes is dead.
const tooOld = 31 * time.Minute

// holdAlone has a restic take the repository's exclusive lock, and stops it there.
func holdAlone(t *testing.T, repository restictest.Repository) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(repository.Restic, "check", "--no-cache")
	cmd.Env = repository.Env
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	// restic waits 200 ms after it has written its lock, to see others'.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		locks, err := os.ReadDir(filepath.Join(repository.Folder, "locks"))
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("no lock appears: %v", err)
		}
		if len(locks) > 0 && !strings.Contains(locks[0].Name(), "tmp") {
			break
		}
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// A lock is removed half an hour after its restic died, and not before, whoever can see that it
// died.
func TestDeadLock(t *testing.T) {
	client, repository := newClient(t)
	for _, size := range []int64{100, 30 << 20} { // one that has been sent and ended before restic says it is locked out, one that has not
		dead := holdAlone(t, repository)
		if err := dead.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = dead.Wait()
		wantLocks(t, client, 1)
		if _, err := client.Backup(t.Context(), options, restictest.Noise(size, 11)); !errors.Is(err, ErrLocked) {
			t.Errorf("while the lock is young: %v", err)
		}
		repository.AgeLocks(t, tooOld)
		if summary := backUp(t, client, restictest.Noise(size, 11)); summary.TotalBytesProcessed != uint64(size) {
			t.Errorf("%+v", summary)
		}
		wantLocks(t, client, 0)
	}
}

func TestLiveLock(t *testing.T) {
	client, repository := newClient(t)
	holder := holdAlone(t, repository)
	_, err := client.Backup(t.Context(), options, restictest.Noise(1000, 12))
	var locked *LockedError
	if !errors.Is(err, ErrLocked) || !errors.As(err, &locked) || len(locked.Locks) != 1 || locked.Locks[0].PID != holder.Process.Pid {
		t.Errorf("backup: %v", err)
	}
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("(process %d), which holds it alone and was last heard of at 20", holder.Process.Pid)) {
		t.Errorf("backup: %v", err)
	}
	if _, err := client.Backup(t.Context(), options, cut(1000)); !errors.Is(err, errCut) {
		t.Errorf("backup of a broken stream: %v", err)
	}
	if _, err := client.Snapshots(t.Context(), Filter{}); !errors.Is(err, ErrLocked) {
		t.Errorf("snapshots: %v", err)
	}

	// Waited for, it is got once the other goes on and ends.
	client.LockWait = time.Minute
	told := 0
	client.Waiting = func(*LockedError) {
		told++
		_ = holder.Process.Signal(syscall.SIGCONT)
		_ = holder.Wait()
	}
	if summary := backUp(t, client, restictest.Noise(100, 14)); summary.TotalBytesProcessed != 100 {
		t.Errorf("%+v", summary)
	}
	if told != 1 {
		t.Errorf("told of the lock %d times, want once", told)
	}
	wantUntouched(t, client, 1)
}

// A backup under way keeps forget out, and is not hurt by its attempts.
func TestForgetDuringBackup(t *testing.T) {
	client, _ := newClient(t)
	var forgetErr error
	summary := backUp(t, client, &at{r: restictest.Noise(20<<20, 13), n: 10 << 20, do: func() {
		forgetErr = client.Forget(t.Context(), nil, true)
	}})
	if !errors.Is(forgetErr, ErrLocked) {
		t.Errorf("prune: %v", forgetErr)
	}
	if summary.TotalBytesProcessed != 20<<20 {
		t.Errorf("%+v", summary)
	}
}

func wantLocks(t *testing.T, client *Client, want int) {
	t.Helper()
	if got := repositoryOf(client).Count(t, "locks"); got != want {
		t.Errorf("%d locks, want %d", got, want)
	}
}

// A lock whose restic has been silent for longer than a living one is hinders nobody who only
// reads; whoever writes waits until it is dead for certain.
func TestSilentLock(t *testing.T) {
	client, files := newClient(t)
	made := backUp(t, client, strings.NewReader("to be read"))
	read := func() error {
		if _, err := client.Snapshots(t.Context(), Filter{}); err != nil {
			return err
		}
		return client.Dump(t.Context(), made.SnapshotID, "/"+options.Filename, io.Discard)
	}
	lock := map[string]any{"time": time.Now().Add(-repository.MissedRefresh + time.Minute), "exclusive": true, "hostname": "elsewhere", "username": "x", "pid": 1}
	files.WriteLock(t, lock)
	if err := read(); !errors.Is(err, ErrLocked) {
		t.Errorf("read beside somebody who may be alone at work: %v", err)
	}
	files.AgeLocks(t, 2*time.Minute)
	if err := read(); err != nil {
		t.Errorf("read beside somebody who is silent: %v", err)
	}
	if _, err := client.Backup(t.Context(), options, strings.NewReader("more")); !errors.Is(err, ErrLocked) {
		t.Errorf("backup beside somebody who is silent: %v", err)
	}
	if err := client.AwaitLock(t.Context()); !errors.As(err, new(*LockedError)) {
		t.Errorf("wait for somebody who is silent: %v", err)
	}
	wantLocks(t, client, 1)

	hasty := options
	hasty.NoWait = true
	client.LockWait = time.Hour
	client.Waiting = func(*LockedError) { t.Error("it waits") }
	if _, err := client.Backup(t.Context(), hasty, strings.NewReader("more")); !errors.Is(err, ErrLocked) {
		t.Errorf("backup that does not wait: %v", err)
	}
	client.Waiting = nil
	files.AgeLocks(t, tooOld)
	if err := client.AwaitLock(t.Context()); err != nil {
		t.Errorf("wait for the dead: %v", err)
	}
	wantLocks(t, client, 0)
	if _, err := client.Backup(t.Context(), hasty, strings.NewReader("more")); err != nil {
		t.Errorf("backup that need not wait: %v", err)
	}
}
