package repository

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
	"github.com/breaking-backups/breaking-backups/restic/restictest"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// race calls Ensure from several clients at the same moment and asserts that one sound repository
// comes of it.
func race(t *testing.T, clients int, env []string) {
	t.Helper()
	keeper := newKeeper(servers.Restic(t), env)
	var wg sync.WaitGroup
	created := make([]bool, clients)
	errs := make([]error, clients)
	for i := range clients {
		wg.Go(func() { created[i], errs[i] = keeper.Ensure(t.Context()) })
	}
	wg.Wait()
	makers := 0
	for i := range clients {
		if errs[i] != nil {
			t.Errorf("client %d: %v", i, errs[i])
		}
		if created[i] {
			makers++
		}
	}
	if makers != 1 {
		t.Errorf("%d say that they have made it", makers)
	}
	wantSound(t, keeper)
}

// wantSound asserts that the repository has one key, takes a backup and is whole.
func wantSound(t *testing.T, keeper *Keeper) {
	t.Helper()
	if keys := filesOf(keeper).Count(t, "keys"); keys != 1 {
		t.Errorf("%d keys", keys)
	}
	backUp(t, keeper, "first")
	if err := keeper.Run(t.Context(), process.Command{Op: "check", Args: []string{"check"}}); err != nil {
		t.Error(err)
	}
}

func TestEnsureRace(t *testing.T) {
	t.Run("local", func(t *testing.T) {
		race(t, 6, restictest.Environment(filepath.Join(t.TempDir(), "a", "b")))
	})
	t.Run("S3", func(t *testing.T) {
		s3 := servers.S3(t)
		race(t, 3, append(restictest.Environment(s3.Repository("race")), s3.Env()...))
	})
}

// Rivals that know nothing of locks and waiting break a repository; Ensure mends it as long as
// nothing is lost.
func TestEnsureHeals(t *testing.T) {
	s3 := servers.S3(t)
	for name, env := range map[string][]string{
		"local": restictest.Environment(filepath.Join(t.TempDir(), "repository")),
		"S3":    append(restictest.Environment(s3.Repository("broken")), s3.Env()...),
	} {
		t.Run(name, func(t *testing.T) {
			keeper := newKeeper(servers.Restic(t), env)
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() { _ = keeper.run(t.Context(), process.Command{Op: "init", Args: []string{"init"}}) })
			}
			wg.Wait()
			for range 3 { // they are in each other's way when they remove keys
				wg.Go(func() {
					if created, err := keeper.Ensure(t.Context()); created || err != nil {
						t.Errorf("%v, %v", created, err)
					}
				})
			}
			wg.Wait()
			wantSound(t, keeper)
		})
	}
}

// addStranger adds the key of another new repository to that in folder, and returns the other's
// folder.
func addStranger(t *testing.T, keeper *Keeper, folder string) string {
	t.Helper()
	other := newKeeper(keeper.Program.Binary, restictest.Environment(filepath.Join(t.TempDir(), "other")))
	if _, err := other.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	otherFolder, err := other.localFolder()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := filepath.Glob(filepath.Join(otherFolder, "keys", "*"))
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, keys[0], filepath.Join(folder, "keys", filepath.Base(keys[0])))
	return otherFolder
}

// Two that heal at once are in each other's way: the lock of the other is waited for, even where no
// lock else would be.
func TestHealWaits(t *testing.T) {
	keeper, repository := emptyRepository(t)
	folder := repository.Folder
	addStranger(t, keeper, folder)

	keeper.Program.Binary = restictest.Script(t, `case "$*" in "key remove"*|--retry-lock=0s*) echo repository is already locked >&2; exit 11 ;; esac
exec `+keeper.Program.Binary+` "$@"`)
	if err := keeper.heal(t.Context()); err != nil {
		t.Error(err)
	}
	wantSound(t, keeper)
}

// A key that snapshots were made with is never removed, even though nothing can be read with it.
func TestEnsureKeepsKeysOfSnapshots(t *testing.T) {
	keeper, repository := emptyRepository(t)
	folder := repository.Folder
	backUp(t, keeper, "precious")
	// As if another init had come too late: its config is in place, and its key beside ours.
	otherFolder := addStranger(t, keeper, folder)
	if err := os.Remove(filepath.Join(folder, "config")); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(otherFolder, "config"), filepath.Join(folder, "config"))

	_, err := keeper.Ensure(t.Context())
	if err == nil || !strings.Contains(err.Error(), "was made with another key") {
		t.Errorf("ensure: %v", err)
	}
	if keys, _ := filepath.Glob(filepath.Join(folder, "keys", "*")); len(keys) != 2 {
		t.Errorf("keys: %v", keys)
	}
}

func TestEnsureAfterAKilledInit(t *testing.T) {
	keeper, repository := emptyRepository(t)
	folder := repository.Folder
	if err := os.Remove(filepath.Join(folder, "config")); err != nil {
		t.Fatal(err)
	}
	if created, err := keeper.Ensure(t.Context()); !created || err != nil {
		t.Errorf("%v, %v", created, err)
	}
	wantSound(t, keeper)

	if err := os.Remove(filepath.Join(folder, "config")); err != nil {
		t.Fatal(err)
	}
	if _, err := keeper.Ensure(t.Context()); err == nil || !strings.Contains(err.Error(), "has lost its config") {
		t.Errorf("with data in it: %v", err)
	}
	if keys, _ := filepath.Glob(filepath.Join(folder, "keys", "*")); len(keys) != 1 {
		t.Errorf("keys: %v", keys)
	}
}

func TestSettled(t *testing.T) {
	keeper, repository := emptyRepository(t)
	folder := repository.Folder
	keys := filepath.Join(folder, "keys")
	files, err := os.ReadDir(keys)
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(keys, files[0].Name())
	old := time.Now().Add(-time.Hour)
	for _, test := range []struct {
		name string
		do   func() error
		want bool
	}{
		{"just made", func() error { return nil }, true},
		{"old", func() error { return os.Chtimes(key, old, old) }, true},
		{"half a key besides", func() error { return os.WriteFile(key+"-tmp-1", nil, 0o600) }, true},
		{"two keys", func() error { return os.WriteFile(filepath.Join(keys, strings.Repeat("0", 64)), nil, 0o600) }, false},
		{"one key again", func() error { return os.Remove(filepath.Join(keys, strings.Repeat("0", 64))) }, true},
		{"no config", func() error { return os.Remove(filepath.Join(folder, "config")) }, false},
		{"nothing", func() error { return os.RemoveAll(folder) }, false},
	} {
		if err := test.do(); err != nil {
			t.Fatal(err)
		}
		if got := keeper.Settled(t.Context()); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a look has made the folder: %v", err)
	}
	elsewhere := newKeeper("", restictest.Environment("s3:http://127.0.0.1:1/backups/x"))
	if elsewhere.Settled(t.Context()) {
		t.Error("what is not here cannot be seen")
	}
}

// While another makes a repository, the one that appears is not settled.
func TestSettledWaits(t *testing.T) {
	keeper, _ := emptyRepository(t)
	lock, err := keeper.lockFolder(t.Context())
	if err != nil || !lock.held() {
		t.Fatalf("no lock: %v", err)
	}
	defer lock.unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if keeper.Settled(ctx) || ctx.Err() == nil {
		t.Error("it did not wait for the lock")
	}
}

// Only exit code 10 leads to init.
func TestEnsureDoesNotInit(t *testing.T) {
	for _, code := range []string{"1", "3", "11", "12", "130"} {
		log := filepath.Join(t.TempDir(), "log")
		keeper := newKeeper(restictest.Script(t, `echo "$1" >>`+log+`; echo dial tcp: connection refused >&2; exit `+code), nil)
		if created, err := keeper.Ensure(t.Context()); created || err == nil {
			t.Errorf("exit %s: %v, %v", code, created, err)
		}
		asked, err := os.ReadFile(log)
		if err != nil || string(asked) != "key\n" {
			t.Errorf("exit %s: restic was asked for %q, %v", code, asked, err)
		}
	}

	keeper := newKeeper(servers.Restic(t), append(restictest.Environment("s3:http://127.0.0.1:1/backups/x"), "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // restic tries for minutes
	defer cancel()
	if created, err := keeper.Ensure(ctx); created || err == nil || errors.Is(err, process.ErrNoRepository) {
		t.Errorf("nothing listens: %v, %v", created, err)
	}
}

func TestLook(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "repository")
	keeper := newKeeper(servers.Restic(t), restictest.Environment(folder))
	if state, err := keeper.Look(t.Context()); state != Missing || err != nil {
		t.Errorf("state %v, %v; want Missing", state, err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("who only looks has made the folder: %v", err)
	}
	if _, err := keeper.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	own := restictest.Repository{Restic: keeper.Program.Binary, Env: keeper.Program.Env, Folder: folder}
	own.CheapKey(t, restictest.Password) // so that no machine is too slow to see it young
	own.YoungKey(t)
	if state, err := keeper.Look(t.Context()); state != Unsettled || err != nil {
		t.Errorf("state %v, %v; want Unsettled", state, err)
	}
	keeper.Program.Env = append(keeper.Program.Env, "RESTIC_PASSWORD=wrong")
	if _, err := keeper.Look(t.Context()); !errors.Is(err, process.ErrWrongPassword) {
		t.Errorf("%v, want %v", err, process.ErrWrongPassword)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
