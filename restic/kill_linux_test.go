package restic

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
)

func TestParentKilled(t *testing.T) {
	client, repository := newClient(t)
	adopt(t)
	for range 6 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(client.Env, childEnv+"="+client.Binary)
		cmd.Stderr = os.Stderr
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The first reads fill the socket; the fourth means that restic is reading.
		lines := bufio.NewScanner(stdout)
		for range 4 + rand.IntN(200) {
			lines.Scan()
		}
		restic := children(cmd.Process.Pid)[0]
		if group, err := syscall.Getpgid(restic); err != nil || group != restic {
			t.Errorf("restic's process group is %d (%v), want its own, %d", group, err, restic)
		}
		handle, err := unix.PidfdOpen(restic, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
		waitGone(t, restic, handle)
		wantSnapshots(t, client, 0)
	}
	// Backups do not hinder each other. What does need the lock alone waits until the six are dead
	// for certain.
	summary := backUp(t, client, strings.NewReader("the next one"))
	if err := client.prune(t.Context()); !errors.Is(err, ErrLocked) {
		t.Errorf("while the locks are young: %v", err)
	}
	repository.AgeLocks(t, tooOld)
	if err := client.prune(t.Context()); err != nil {
		t.Error(err)
	}
	if err := client.Check(t.Context(), ""); err != nil {
		t.Error(err)
	}
	snapshots, err := client.Snapshots(t.Context(), Filter{})
	if err != nil || len(snapshots) != 1 || snapshots[0].ID != summary.SnapshotID {
		t.Errorf("%+v, %v", snapshots, err)
	}
}

func TestResticKilled(t *testing.T) {
	client, repository := newClient(t)
	for _, after := range []int64{1 << 20, 8 << 20, 20 << 20} { // all more than a socket holds: restic is reading
		r := &at{r: restictest.Noise(1<<40, 8), n: after, do: func() {
			for _, child := range children(os.Getpid()) {
				_ = syscall.Kill(child, syscall.SIGKILL)
			}
		}}
		_, err := client.Backup(t.Context(), options, r)
		var fail *Error
		if !errors.As(err, &fail) || fail.Code != -1 || !strings.Contains(err.Error(), "killed") {
			t.Errorf("killed after %d: %v", after, err)
		}
	}
	repository.AgeLocks(t, tooOld)
	if err := client.RemoveDeadLocks(t.Context()); err != nil {
		t.Error(err)
	}
	wantUntouched(t, client, 0)
}

// The storage refuses writes in the middle of a backup: the error is restic's own, and the writer
// gets to know it.
func TestUnwritableRepository(t *testing.T) {
	client, repository := newClient(t)
	folder := repository.Folder
	if os.Getuid() == 0 { // nothing is unwritable for root
		ours := filepath.Join(t.TempDir(), "restic") // others may not be able to reach the project's folder
		program, err := os.ReadFile(client.Binary)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(ours, program, 0o600); err != nil {
			t.Fatal(err)
		}
		client.Binary = restictest.Script(t, `exec setpriv --reuid=65534 --regid=65534 --clear-groups `+ours+` "$@"`)
		for _, path := range []string{folder, ours, client.Binary} {
			for ; path != os.TempDir(); path = filepath.Dir(path) {
				if err := os.Chmod(path, 0o755); err != nil {
					t.Fatal(err)
				}
			}
		}
		client.Env = append(client.Env, "RESTIC_CACHE_DIR="+filepath.Join(folder, "cache"))
		everything(t, folder, func(path string) { _ = os.Chown(path, 65534, 65534) })
	}
	data := filepath.Join(folder, "data")
	r := &at{r: restictest.Noise(1<<40, 10), n: 20 << 20, do: func() {
		everything(t, data, func(path string) { _ = os.Chmod(path, 0o500) })
	}}
	_, err := client.Backup(t.Context(), options, r)
	var fail *Error
	if !errors.As(err, &fail) || fail.Code != 1 || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("backup: %v", err)
	}
	everything(t, data, func(path string) { _ = os.Chmod(path, 0o700) })
	wantUntouched(t, client, 0)
}

// everything calls do for a folder, the folders in it and their files.
func everything(t *testing.T, folder string, do func(path string)) {
	t.Helper()
	for _, pattern := range []string{"", "*", "*/*"} {
		paths, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			do(path)
		}
	}
}

// children are the processes that pid has started.
func children(pid int) []int {
	var all []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list) // or the thread is gone
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}

// adopt makes this process the parent of those whose own has died.
func adopt(t testing.TB) {
	t.Helper()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) })
}

// waitGone waits for the end of an adopted process. Until it has been waited for, restic takes its
// lock for a live one.
func waitGone(t testing.TB, pid, pidfd int) {
	t.Helper()
	defer unix.Close(pidfd)
	deadline := time.Now().Add(10 * time.Second)
	n, err := 0, error(unix.EINTR)
	for err == unix.EINTR {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(time.Until(deadline).Milliseconds()))
	}
	if n != 1 || err != nil {
		t.Fatalf("restic outlives its parent: %d, %v", n, err)
	}
	if _, err := unix.Wait4(pid, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
}
