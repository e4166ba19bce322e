package restic

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(backupForever())
	}
	var err error
	if scratch, err = os.MkdirTemp("", "restic-test-"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(scratch)
		os.Exit(code)
	}))
}

// scratch is a folder for what the tests share: the template, and restic's cache.
var scratch string

// template is the folder of an empty repository with a cheap key; making one costs restic seconds.
func template(t testing.TB) string {
	t.Helper()
	made.Do(func() {
		dir := filepath.Join(scratch, "template")
		client := &Client{Binary: servers.Restic(t), Env: environment(dir)}
		if _, err := client.Ensure(context.Background()); err != nil {
			t.Fatal(err)
		}
		files(client, dir).CheapKey(t, "correct horse")
		made.dir = dir
	})
	if made.dir == "" {
		t.Fatal("there is no template")
	}
	return made.dir
}

var made struct {
	sync.Once
	dir string
}

func files(client *Client, folder string) restictest.Repository {
	return restictest.Repository{Restic: client.Binary, Env: client.Env, Folder: folder}
}

func environment(repository string) []string {
	return []string{
		"RESTIC_REPOSITORY=" + repository, "RESTIC_PASSWORD=correct horse", "RESTIC_CACHE_DIR=" + filepath.Join(scratch, "cache"),
		"PATH=" + os.Getenv("PATH"), "HOME=" + scratch, "TMPDIR=" + os.TempDir(),
	}
}

// newClient is a client of an empty local repository, whose folder it returns.
func newClient(t testing.TB) (*Client, string) {
	t.Helper()
	client := &Client{Binary: servers.Restic(t)}
	folder := filepath.Join(t.TempDir(), "repository")
	if err := os.CopyFS(folder, os.DirFS(template(t))); err != nil {
		t.Fatal(err)
	}
	client.Env = environment(folder)
	return client, folder
}

var options = BackupOptions{Host: "db.example", Filename: "app.sql", Tags: []string{"app", "env=test"}}

// noise is n bytes that do not compress, the same for the same seed.
func noise(n int64, seed byte) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

func backUp(t testing.TB, client *Client, r io.Reader) Summary {
	t.Helper()
	summary, err := client.Backup(t.Context(), options, r)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// wantUntouched asserts what every failed backup must leave: no new snapshot, no lock, a repository that is sound and
// takes the next backup without help.
func wantUntouched(t testing.TB, client *Client, snapshots int) {
	t.Helper()
	if locks := list(t, client, "locks"); locks != 0 {
		t.Errorf("%d locks are left", locks)
	}
	wantSnapshots(t, client, snapshots)
	backUp(t, client, strings.NewReader("the next one"))
	wantSnapshots(t, client, snapshots+1)
	if err := client.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func wantSnapshots(t testing.TB, client *Client, want int) {
	t.Helper()
	if got := list(t, client, "snapshots"); got != want {
		t.Errorf("%d snapshots, want %d", got, want)
	}
}

// list counts what the repository has of a type, past all that could hide something.
func list(t testing.TB, client *Client, what string) int {
	t.Helper()
	var out bytes.Buffer
	err := client.run(t.Context(), command{op: "list", args: []string{"list", what, "--no-lock"}, stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	return len(strings.Fields(out.String()))
}

func TestRoundTrip(t *testing.T) {
	client, _ := newClient(t)
	sent := sha256.New()
	summary := backUp(t, client, io.TeeReader(noise(5<<20, 1), sent))
	if summary.TotalBytesProcessed != 5<<20 || summary.FilesNew != 1 || summary.DataAdded < 5<<20 || summary.TotalDuration <= 0 {
		t.Errorf("summary: %+v", summary)
	}

	got := sha256.New()
	if err := client.Dump(t.Context(), summary.SnapshotID, "/app.sql", got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Sum(nil), sent.Sum(nil)) {
		t.Error("the dump is not what was backed up")
	}

	full := errors.New("disk full")
	if err := client.Dump(t.Context(), summary.SnapshotID, "app.sql", &failingWriter{after: 1 << 20, err: full}); !errors.Is(err, full) {
		t.Errorf("a writer's error came back as %v", err)
	}
	var fail *Error
	if err := client.Dump(t.Context(), summary.SnapshotID, "other.sql", io.Discard); !errors.As(err, &fail) {
		t.Errorf("dump of a file that is not there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Dump(ctx, summary.SnapshotID, "app.sql", io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("dump, cancelled: %v", err)
	}
}

type failingWriter struct {
	after int
	err   error
}

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.after -= len(p); w.after < 0 {
		return 0, w.err
	}
	return len(p), nil
}

func TestSlowReaderOfADump(t *testing.T) {
	client, _ := newClient(t)
	client.Grace = time.Millisecond // far less than the reader takes over what restic has left in the pipe when it exits
	summary := backUp(t, client, noise(256<<10, 2))
	slow := &slowWriter{}
	if err := client.Dump(t.Context(), summary.SnapshotID, "app.sql", slow); err != nil || slow.n != 256<<10 {
		t.Errorf("%d bytes, %v", slow.n, err)
	}
}

type slowWriter struct{ n int }

func (w *slowWriter) Write(p []byte) (int, error) {
	<-time.After(100 * time.Millisecond)
	w.n += len(p)
	return len(p), nil
}

func TestExitCodes(t *testing.T) {
	client, _ := newClient(t)
	t.Run("wrong password", func(t *testing.T) {
		client := *client
		client.Env = append(client.Env[:len(client.Env):len(client.Env)], "RESTIC_PASSWORD=wrong")
		if _, err := client.Ensure(t.Context()); !errors.Is(err, ErrWrongPassword) {
			t.Errorf("ensure: %v", err)
		}
		if _, err := client.Backup(t.Context(), options, noise(10<<20, 1)); !errors.Is(err, ErrWrongPassword) {
			t.Errorf("backup: %v", err)
		}
	})
	t.Run("no repository", func(t *testing.T) {
		client := *client
		client.Env = environment(t.TempDir() + "/nowhere")
		if _, err := client.Snapshots(t.Context(), Filter{}); !errors.Is(err, ErrNoRepository) {
			t.Errorf("snapshots: %v", err)
		}
		if _, err := client.Backup(t.Context(), options, noise(10<<20, 1)); !errors.Is(err, ErrNoRepository) {
			t.Errorf("backup: %v", err)
		}
	})
	t.Run("no restic", func(t *testing.T) {
		client := *client
		client.Binary = "/nowhere/restic"
		if err := client.CheckVersion(t.Context()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("version: %v", err)
		}
		if _, err := client.Backup(t.Context(), options, noise(10<<20, 1)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("backup: %v", err)
		}
	})
}

func TestCheckVersion(t *testing.T) {
	for answer, ok := range map[string]bool{
		"restic 0.19.1 compiled with go1.26 on linux/amd64": true,
		"restic 0.17.0-dev (compiled manually)":             true,
		"restic 1.0 compiled":                               true,
		"restic 0.16.4 compiled with go1.21":                false,
		"something else":                                    false,
		"":                                                  false,
	} {
		client := &Client{Binary: script(t, "echo '"+answer+"'")}
		if err := client.CheckVersion(t.Context()); (err == nil) != ok {
			t.Errorf("%q: %v", answer, err)
		}
	}
	if err := (&Client{Binary: servers.Restic(t)}).CheckVersion(t.Context()); err != nil {
		t.Error(err)
	}
}

// script is a program that stands in for restic.
func script(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "restic")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}
