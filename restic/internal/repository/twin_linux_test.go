package repository

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
	"github.com/breaking-backups/breaking-backups/restic/restictest"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// tooOld is more than the time after which a lock that nobody refreshes is dead.
const tooOld = staleTime + time.Minute

// twin is a restic in another container of this host's name: its process id is one that nobody has
// here.
type twin struct {
	input io.WriteCloser
	cmd   *exec.Cmd
}

// newTwin starts a backup there and returns when it holds its lock.
func newTwin(t *testing.T, keeper *Keeper) *twin {
	t.Helper()
	pid := freePIDs(t)
	// In a namespace of its own ids begin at 1; each /bin/true uses one up.
	text := `i=1; while [ $i -lt ` + strconv.Itoa(pid) + ` ]; do /bin/true; i=$((i+1)); done; exec 3<&0; "$@" <&3 & wait $!`
	cmd := exec.Command("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "sh", "-c", text, "sh",
		keeper.Program.Binary, "backup", "--stdin", "--stdin-filename=twin.sql", "--quiet")
	cmd.Env = keeper.Program.Env
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = input.Close(); _ = cmd.Wait() })
	if _, err := io.CopyN(input, restictest.Noise(8<<20, 21), 8<<20); err != nil { // more than a pipe holds: restic has its lock, and reads
		t.Fatal(err)
	}
	locks, err := keeper.locks(t.Context(), nil)
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
func (w *twin) end(t *testing.T, keeper *Keeper) {
	t.Helper()
	if _, err := io.CopyN(w.input, restictest.Noise(8<<20, 22), 8<<20); err != nil {
		t.Fatal(err)
	}
	_ = w.input.Close()
	if err := w.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := keeper.run(t.Context(), process.Command{Op: "check", Args: []string{"check", "--read-data", "--no-lock"}}); err != nil {
		t.Error(err)
	}
	var snapshots []struct{ ID string }
	if err := json.Unmarshal(filesOf(keeper).Run(t, "snapshots", "--json", "--path=/twin.sql"), &snapshots); err != nil || len(snapshots) != 1 {
		t.Fatalf("the other's snapshots: %v, %v", snapshots, err)
	}
	if size := len(filesOf(keeper).Run(t, "dump", snapshots[0].ID, "/twin.sql")); size != 16<<20 {
		t.Errorf("%d bytes of the other's backup come back", size)
	}
}

// forget has a snapshot and its data removed, which no other may be at work for.
func forget(t *testing.T, keeper *Keeper, id string) error {
	return keeper.Run(t.Context(), process.Command{Op: "forget", Args: []string{"forget", "--prune", id}})
}

// Two containers of one host name: the one's living lock is not taken for a dead one by the other.
func TestTwinContainers(t *testing.T) {
	keeper, repository := emptyRepository(t)
	first := backUp(t, keeper, "to be forgotten")
	backUp(t, keeper, "to stay")
	other := newTwin(t, keeper)
	if err := keeper.RemoveDeadLocks(t.Context()); err != nil {
		t.Error(err)
	}
	wantLocks(t, keeper, 1)
	var locked *LockedError
	if err := forget(t, keeper, first); !errors.As(err, &locked) {
		t.Errorf("forget beside the other's backup: %v", err)
	}
	wantLocks(t, keeper, 1)
	if snapshots := repository.Count(t, "snapshots"); snapshots != 2 {
		t.Errorf("%d snapshots, want 2", snapshots)
	}
	// One that is dead goes, and does not take it along.
	host, _ := os.Hostname()
	repository.WriteLock(t, map[string]any{"time": time.Now().Add(-tooOld), "exclusive": false, "hostname": host, "username": "x", "pid": 1})
	if err := keeper.RemoveDeadLocks(t.Context()); err != nil {
		t.Error(err)
	}
	wantLocks(t, keeper, 1)
	other.end(t, keeper)
	if err := forget(t, keeper, first); err != nil {
		t.Errorf("forget after the other's backup: %v", err)
	}
	wantLocks(t, keeper, 0)
}

// The same where restic itself has to remove locks.
func TestTwinContainersS3(t *testing.T) {
	s3 := servers.S3(t)
	keeper := newKeeper(servers.Restic(t), append(restictest.Environment(s3.Repository("twins")), s3.Env()...))
	keeper.History.refreshed = time.Millisecond
	if _, err := keeper.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	repository := restictest.Repository{Restic: keeper.Program.Binary, Env: keeper.Program.Env, Folder: s3.Folder("twins")}
	repository.CheapKey(t, restictest.Password)
	host, _ := os.Hostname()
	old := map[string]any{"time": time.Now().Add(-tooOld), "exclusive": false, "hostname": host, "username": "x", "pid": 1}
	first := backUp(t, keeper, "to be forgotten")
	other := newTwin(t, keeper)
	repository.WriteLock(t, old)
	if err := keeper.RemoveDeadLocks(t.Context()); err != nil {
		t.Error(err)
	}
	wantLocks(t, keeper, 2) // restic unlock would have taken both
	if err := forget(t, keeper, first); !errors.Is(err, process.ErrLocked) {
		t.Errorf("forget beside the other's backup: %v", err)
	}
	wantLocks(t, keeper, 2)
	other.end(t, keeper)
	if err := forget(t, keeper, first); err != nil {
		t.Errorf("forget after the other's backup: %v", err)
	}
	wantLocks(t, keeper, 0)
}

// restic asks whether a lock's process lives by sending SIGHUP to its id, which ends most programs.
func TestNobodyIsSignalled(t *testing.T) {
	s3 := servers.S3(t)
	keeper := newKeeper(servers.Restic(t), append(restictest.Environment(s3.Repository("signal")), s3.Env()...))
	keeper.History.refreshed = time.Millisecond
	if _, err := keeper.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	repository := restictest.Repository{Restic: keeper.Program.Binary, Env: keeper.Program.Env, Folder: s3.Folder("signal")}
	repository.CheapKey(t, restictest.Password)
	bystander := exec.Command("sleep", "600")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bystander.Process.Kill(); _ = bystander.Wait() })
	host, _ := os.Hostname()
	repository.WriteLock(t, map[string]any{"time": time.Now(), "exclusive": false, "hostname": host, "username": "x", "pid": bystander.Process.Pid})
	repository.WriteLock(t, map[string]any{"time": time.Now().Add(-tooOld), "exclusive": false, "hostname": host, "username": "x", "pid": 1})
	if err := keeper.RemoveDeadLocks(t.Context()); err != nil {
		t.Error(err)
	}
	wantLocks(t, keeper, 2)
	var status syscall.WaitStatus
	if pid, err := syscall.Wait4(bystander.Process.Pid, &status, syscall.WNOHANG, nil); pid != 0 || err != nil {
		t.Errorf("the process that has the lock's id here ended: %v, %v", status, err)
	}
}

func wantLocks(t *testing.T, keeper *Keeper, want int) {
	t.Helper()
	if got := filesOf(keeper).Count(t, "locks"); got != want {
		t.Errorf("%d locks, want %d", got, want)
	}
}
