package restic

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// holdAlone has a restic take the repository's exclusive lock, and stops it there.
func holdAlone(t *testing.T, client *Client, folder string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(client.Binary, "check", "--no-cache")
	cmd.Env = client.Env
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	// restic waits 200 ms after it has written its lock, to see others'.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		locks, err := os.ReadDir(filepath.Join(folder, "locks"))
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

func TestStaleLock(t *testing.T) {
	client, folder := newClient(t)
	for _, size := range []int64{100, 30 << 20} { // one that has been sent and ended before restic says it is locked out, one that has not
		dead := holdAlone(t, client, folder)
		if err := dead.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = dead.Wait()
		if list(t, client, "locks") != 1 {
			t.Fatal("no lock is left")
		}
		if summary := backUp(t, client, noise(size, 11)); summary.TotalBytesProcessed != uint64(size) {
			t.Errorf("%+v", summary)
		}
		if locks := list(t, client, "locks"); locks != 0 {
			t.Errorf("%d locks are left", locks)
		}
	}
}

func TestLiveLock(t *testing.T) {
	client, folder := newClient(t)
	holder := holdAlone(t, client, folder)
	if _, err := client.Backup(t.Context(), options, noise(1000, 12)); !errors.Is(err, ErrLocked) {
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
	var told []error
	client.Waiting = func(err error) {
		told = append(told, err)
		_ = holder.Process.Signal(syscall.SIGCONT)
		_ = holder.Wait()
	}
	if summary := backUp(t, client, noise(100, 14)); summary.TotalBytesProcessed != 100 {
		t.Errorf("%+v", summary)
	}
	if len(told) != 1 || !errors.Is(told[0], ErrLocked) {
		t.Errorf("told of the lock %q, want once", told)
	}
	wantUntouched(t, client, 1)
}

// A backup under way keeps forget out, and is not hurt by its attempts.
func TestForgetDuringBackup(t *testing.T) {
	client, _ := newClient(t)
	var forgetErr error
	summary := backUp(t, client, &at{r: noise(20<<20, 13), n: 10 << 20, do: func() {
		_, forgetErr = client.Forget(t.Context(), ForgetOptions{Filter: filter, Policy: []string{"--keep-last=1"}})
	}})
	if !errors.Is(forgetErr, ErrLocked) {
		t.Errorf("forget: %v", forgetErr)
	}
	if summary.TotalBytesProcessed != 20<<20 {
		t.Errorf("%+v", summary)
	}
}
