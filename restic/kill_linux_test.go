package restic

import (
	"bufio"
	"context"
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
)

// childEnv names restic's path for a test binary that is started to be killed.
const childEnv = "RESTIC_TEST_CHILD"

// backupForever is that child: it backs up an endless stream and tells of every MiB that restic has taken.
func backupForever() int {
	client := &Client{Binary: os.Getenv(childEnv), Env: os.Environ()}
	stream := rand.NewChaCha8([32]byte{9})
	_, err := client.Backup(context.Background(), options, readerFunc(func(p []byte) (int, error) {
		fmt.Println(len(p))
		return stream.Read(p)
	}))
	fmt.Fprintln(os.Stderr, err)
	return 1
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestParentKilled(t *testing.T) {
	client, _ := newClient(t)
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
		restic := onlyChild(t, cmd.Process.Pid)
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
		waitGone(t, handle)
		wantSnapshots(t, client, 0)
	}
	// Backups do not hinder each other. What does need the lock alone has the six dead ones removed.
	summary := backUp(t, client, strings.NewReader("the next one"))
	if _, err := client.Forget(t.Context(), ForgetOptions{Filter: filter, Policy: []string{"--keep-last=1"}, Prune: true}); err != nil {
		t.Error(err)
	}
	if err := client.Check(t.Context()); err != nil {
		t.Error(err)
	}
	snapshots, err := client.Snapshots(t.Context(), Filter{})
	if err != nil || len(snapshots) != 1 || snapshots[0].ID != summary.SnapshotID {
		t.Errorf("%+v, %v", snapshots, err)
	}
}

func TestResticKilled(t *testing.T) {
	client, _ := newClient(t)
	for _, after := range []int64{1, 1 << 20, 8 << 20} {
		r := &at{r: noise(1<<40, 8), n: after, do: func() {
			_ = syscall.Kill(onlyChild(t, os.Getpid()), syscall.SIGKILL)
		}}
		_, err := client.Backup(t.Context(), options, r)
		var fail *Error
		if !errors.As(err, &fail) || fail.Code != -1 || !strings.Contains(err.Error(), "killed") {
			t.Errorf("killed after %d: %v", after, err)
		}
	}
	if err := client.Unlock(t.Context()); err != nil {
		t.Error(err)
	}
	wantUntouched(t, client, 0)
}

// The storage refuses writes in the middle of a backup: the error is restic's own, and the writer gets to know it.
func TestUnwritableRepository(t *testing.T) {
	client, folder := newClient(t)
	if os.Getuid() == 0 { // nothing is unwritable for root
		client.Binary = script(t, `exec setpriv --reuid=65534 --regid=65534 --clear-groups `+client.Binary+` "$@"`)
		for path := folder; path != os.TempDir(); path = filepath.Dir(path) {
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		chmod(t, filepath.Dir(client.Binary), 0o755)
		chmod(t, client.Binary, 0o755)
		client.Env = append(client.Env, "RESTIC_CACHE_DIR="+filepath.Join(folder, "cache"))
		everything(t, folder, func(path string) { _ = os.Chown(path, 65534, 65534) })
	}
	data := filepath.Join(folder, "data")
	r := &at{r: noise(1<<40, 10), n: 20 << 20, do: func() {
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

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
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

// onlyChild is the process that pid has started.
func onlyChild(t testing.TB, pid int) int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var children []string
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err == nil { // the thread may be gone
			children = append(children, strings.Fields(string(text))...)
		}
	}
	if len(children) != 1 {
		t.Fatalf("process %d has the children %v", pid, children)
	}
	child, err := strconv.Atoi(children[0])
	if err != nil {
		t.Fatal(err)
	}
	return child
}

// waitGone waits for the end of a process that is not ours.
func waitGone(t testing.TB, pidfd int) {
	t.Helper()
	defer unix.Close(pidfd)
	deadline := time.Now().Add(10 * time.Second)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(time.Until(deadline).Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if n != 1 || err != nil {
			t.Fatalf("restic outlives its parent: %d, %v", n, err)
		}
		return
	}
}
