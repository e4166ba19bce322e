package restic

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// tooOld is more than the time after which a lock that nobody refreshes is dead.
const tooOld = staleTime + time.Minute

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

// A lock is removed half an hour after its restic died, and not before, whoever can see that it died.
func TestDeadLock(t *testing.T) {
	client, folder := newClient(t)
	for _, size := range []int64{100, 30 << 20} { // one that has been sent and ended before restic says it is locked out, one that has not
		dead := holdAlone(t, client, folder)
		if err := dead.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = dead.Wait()
		wantLocks(t, client, 1)
		if _, err := client.Backup(t.Context(), options, noise(size, 11)); !errors.Is(err, ErrLocked) {
			t.Errorf("while the lock is young: %v", err)
		}
		files(client, folder).AgeLocks(t, tooOld)
		if summary := backUp(t, client, noise(size, 11)); summary.TotalBytesProcessed != uint64(size) {
			t.Errorf("%+v", summary)
		}
		wantLocks(t, client, 0)
	}
}

func TestLiveLock(t *testing.T) {
	client, folder := newClient(t)
	holder := holdAlone(t, client, folder)
	_, err := client.Backup(t.Context(), options, noise(1000, 12))
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
	if summary := backUp(t, client, noise(100, 14)); summary.TotalBytesProcessed != 100 {
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
	summary := backUp(t, client, &at{r: noise(20<<20, 13), n: 10 << 20, do: func() {
		forgetErr = client.Forget(t.Context(), nil, true)
	}})
	if !errors.Is(forgetErr, ErrLocked) {
		t.Errorf("prune: %v", forgetErr)
	}
	if summary.TotalBytesProcessed != 20<<20 {
		t.Errorf("%+v", summary)
	}
}

// twin is a restic in another container of this host's name: its process id is one that nobody has here.
type twin struct {
	input io.WriteCloser
	cmd   *exec.Cmd
}

// newTwin starts a backup there and returns when it holds its lock.
func newTwin(t *testing.T, client *Client) *twin {
	t.Helper()
	pid := freePIDs(t)
	// In a namespace of its own ids begin at 1; each /bin/true uses one up.
	text := `i=1; while [ $i -lt ` + strconv.Itoa(pid) + ` ]; do /bin/true; i=$((i+1)); done; exec 3<&0; "$@" <&3 & wait $!`
	cmd := exec.Command("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "sh", "-c", text, "sh",
		client.Binary, "backup", "--stdin", "--stdin-filename=twin.sql", "--quiet")
	cmd.Env = client.Env
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = input.Close(); _ = cmd.Wait() })
	if _, err := io.CopyN(input, noise(8<<20, 21), 8<<20); err != nil { // more than a pipe holds: restic has its lock, and reads
		t.Fatal(err)
	}
	locks, err := client.locks(t.Context(), nil)
	if err != nil || len(locks) != 1 {
		t.Fatalf("the other's lock: %v, %v", locks, err)
	}
	if host, _ := os.Hostname(); locks[0].Host != host || alive(locks[0].PID) {
		t.Fatalf("%v is not one that looks dead from here", locks[0])
	}
	return &twin{input, cmd}
}

// alive reports whether there is such a process here, as far as restic would find out by a signal.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// freePIDs is the first of some process ids that nobody has.
func freePIDs(t *testing.T) int {
	t.Helper()
	for pid, free := 20, 0; pid < 5000; pid++ {
		if free++; alive(pid) {
			free = 0
		}
		if free == 20 {
			return pid - 10
		}
	}
	t.Fatal("no process id is free")
	return 0
}

// end has the other's backup come to its end, and wants all of it in the repository.
func (w *twin) end(t *testing.T, client *Client) {
	t.Helper()
	if _, err := io.CopyN(w.input, noise(8<<20, 22), 8<<20); err != nil {
		t.Fatal(err)
	}
	_ = w.input.Close()
	if err := w.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := client.run(t.Context(), command{op: "check", args: []string{"check", "--read-data", "--no-lock"}}); err != nil {
		t.Error(err)
	}
	snapshots, err := client.Snapshots(t.Context(), Filter{Path: "/twin.sql"})
	if err != nil || len(snapshots) != 1 {
		t.Fatalf("the other's snapshots: %v, %v", snapshots, err)
	}
	var size countingWriter
	if err := client.Dump(t.Context(), snapshots[0].ID, "/twin.sql", &size); err != nil || size != 16<<20 {
		t.Errorf("%d bytes of the other's backup come back, %v", size, err)
	}
}

type countingWriter int

func (w *countingWriter) Write(p []byte) (int, error) {
	*w += countingWriter(len(p))
	return len(p), nil
}

// Two containers of one host name: the one's living lock is not taken for a dead one by the other.
func TestTwinContainers(t *testing.T) {
	client, folder := newClient(t)
	first := backUp(t, client, strings.NewReader("to be forgotten"))
	backUp(t, client, strings.NewReader("to stay"))
	other := newTwin(t, client)
	if err := client.RemoveDeadLocks(t.Context()); err != nil {
		t.Error(err)
	}
	wantLocks(t, client, 1)
	var locked *LockedError
	if err := client.Forget(t.Context(), []string{first.SnapshotID}, true); !errors.As(err, &locked) {
		t.Errorf("forget beside the other's backup: %v", err)
	}
	wantLocks(t, client, 1)
	wantSnapshots(t, client, 2)
	// One that is dead goes, and does not take it along.
	host, _ := os.Hostname()
	files(client, folder).WriteLock(t, map[string]any{"time": time.Now().Add(-tooOld), "exclusive": false, "hostname": host, "username": "x", "pid": 1})
	if err := client.RemoveDeadLocks(t.Context()); err != nil {
		t.Error(err)
	}
	wantLocks(t, client, 1)
	other.end(t, client)
	if err := client.Forget(t.Context(), []string{first.SnapshotID}, true); err != nil {
		t.Errorf("forget after the other's backup: %v", err)
	}
	wantLocks(t, client, 0)
}

// The same where restic itself has to remove locks.
func TestTwinContainersS3(t *testing.T) {
	s3 := servers.S3(t)
	client := &Client{Binary: servers.Restic(t), Env: append(environment(s3.Repository("twins")), s3.Env()...), refreshed: time.Millisecond}
	if _, err := client.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	host, _ := os.Hostname()
	old := map[string]any{"time": time.Now().Add(-tooOld), "exclusive": false, "hostname": host, "username": "x", "pid": 1}
	first := backUp(t, client, strings.NewReader("to be forgotten"))
	other := newTwin(t, client)
	files(client, s3.Folder("twins")).WriteLock(t, old)
	if err := client.RemoveDeadLocks(t.Context()); err != nil {
		t.Error(err)
	}
	wantLocks(t, client, 2) // restic unlock would have taken both
	if err := client.Forget(t.Context(), []string{first.SnapshotID}, true); !errors.Is(err, ErrLocked) {
		t.Errorf("forget beside the other's backup: %v", err)
	}
	wantLocks(t, client, 2)
	other.end(t, client)
	if err := client.Forget(t.Context(), []string{first.SnapshotID}, true); err != nil {
		t.Errorf("forget after the other's backup: %v", err)
	}
	wantLocks(t, client, 0)
}

// restic asks whether a lock's process lives by sending SIGHUP to its id, which ends most programs.
func TestNobodyIsSignalled(t *testing.T) {
	s3 := servers.S3(t)
	client := &Client{Binary: servers.Restic(t), Env: append(environment(s3.Repository("signal")), s3.Env()...), refreshed: time.Millisecond}
	if _, err := client.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	bystander := exec.Command("sleep", "600")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bystander.Process.Kill(); _ = bystander.Wait() })
	host, _ := os.Hostname()
	repository := files(client, s3.Folder("signal"))
	repository.WriteLock(t, map[string]any{"time": time.Now(), "exclusive": false, "hostname": host, "username": "x", "pid": bystander.Process.Pid})
	repository.WriteLock(t, map[string]any{"time": time.Now().Add(-tooOld), "exclusive": false, "hostname": host, "username": "x", "pid": 1})
	if err := client.RemoveDeadLocks(t.Context()); err != nil {
		t.Error(err)
	}
	wantLocks(t, client, 2)
	var status syscall.WaitStatus
	if pid, err := syscall.Wait4(bystander.Process.Pid, &status, syscall.WNOHANG, nil); pid != 0 || err != nil {
		t.Errorf("the process that has the lock's id here ended: %v, %v", status, err)
	}
}

func wantLocks(t *testing.T, client *Client, want int) {
	t.Helper()
	if got := list(t, client, "locks"); got != want {
		t.Errorf("%d locks, want %d", got, want)
	}
}

// A lock whose restic has been silent for longer than a living one is hinders nobody who only reads; whoever writes
// waits until it is dead for certain.
func TestSilentLock(t *testing.T) {
	client, folder := newClient(t)
	made := backUp(t, client, strings.NewReader("to be read"))
	read := func() error {
		if _, err := client.Snapshots(t.Context(), Filter{}); err != nil {
			return err
		}
		return client.Dump(t.Context(), made.SnapshotID, "/"+options.Filename, io.Discard)
	}
	repository := files(client, folder)
	lock := map[string]any{"time": time.Now().Add(-missedRefresh + time.Minute), "exclusive": true, "hostname": "elsewhere", "username": "x", "pid": 1}
	repository.WriteLock(t, lock)
	if err := read(); !errors.Is(err, ErrLocked) {
		t.Errorf("read beside somebody who may be alone at work: %v", err)
	}
	repository.AgeLocks(t, 2*time.Minute)
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
	repository.AgeLocks(t, tooOld)
	if err := client.AwaitLock(t.Context()); err != nil {
		t.Errorf("wait for the dead: %v", err)
	}
	wantLocks(t, client, 0)
	if _, err := client.Backup(t.Context(), hasty, strings.NewReader("more")); err != nil {
		t.Errorf("backup that need not wait: %v", err)
	}
}
