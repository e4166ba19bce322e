package restic

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(backupForever())
	}
	restictest.Main(m)
}

// newClient is a client of an empty local repository.
func newClient(t testing.TB) (*Client, restictest.Repository) {
	t.Helper()
	repository := restictest.New(t, servers.Restic(t))
	return &Client{Binary: repository.Restic, Env: repository.Env}, repository
}

// repositoryOf is the repository that a client works on, for what needs no folder.
func repositoryOf(client *Client) restictest.Repository {
	return restictest.Repository{Restic: client.Binary, Env: client.Env}
}

var options = BackupOptions{Host: "db.example", Filename: "app.sql", Tags: []string{"app", "env=test"}}

func backUp(t testing.TB, client *Client, r io.Reader) Summary {
	t.Helper()
	summary, err := client.Backup(t.Context(), options, r)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// wantUntouched asserts what every failed backup must leave: no new snapshot, no lock, a repository
// that is sound and takes the next backup without help.
func wantUntouched(t testing.TB, client *Client, snapshots int) {
	t.Helper()
	if locks := repositoryOf(client).Count(t, "locks"); locks != 0 {
		t.Errorf("%d locks are left", locks)
	}
	wantSnapshots(t, client, snapshots)
	backUp(t, client, strings.NewReader("the next one"))
	wantSnapshots(t, client, snapshots+1)
	if err := client.Check(t.Context(), ""); err != nil {
		t.Error(err)
	}
}

func wantSnapshots(t testing.TB, client *Client, want int) {
	t.Helper()
	if got := repositoryOf(client).Count(t, "snapshots"); got != want {
		t.Errorf("%d snapshots, want %d", got, want)
	}
}

func TestRoundTrip(t *testing.T) {
	client, _ := newClient(t)
	sent := sha256.New()
	summary := backUp(t, client, io.TeeReader(restictest.Noise(5<<20, 1), sent))
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
	summary := backUp(t, client, restictest.Noise(256<<10, 2))
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
		if _, err := client.Backup(t.Context(), options, restictest.Noise(10<<20, 1)); !errors.Is(err, ErrWrongPassword) {
			t.Errorf("backup: %v", err)
		}
	})
	t.Run("no repository", func(t *testing.T) {
		client := *client
		client.Env = restictest.Environment(t.TempDir() + "/nowhere")
		if _, err := client.Snapshots(t.Context(), Filter{}); !errors.Is(err, ErrNoRepository) {
			t.Errorf("snapshots: %v", err)
		}
		if _, err := client.Backup(t.Context(), options, restictest.Noise(10<<20, 1)); !errors.Is(err, ErrNoRepository) {
			t.Errorf("backup: %v", err)
		}
	})
	t.Run("no restic", func(t *testing.T) {
		client := *client
		client.Binary = "/nowhere/restic"
		if err := client.CheckVersion(t.Context()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("version: %v", err)
		}
		if _, err := client.Backup(t.Context(), options, restictest.Noise(10<<20, 1)); !errors.Is(err, os.ErrNotExist) {
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
		client := &Client{Binary: restictest.Script(t, "echo '"+answer+"'")}
		if err := client.CheckVersion(t.Context()); (err == nil) != ok {
			t.Errorf("%q: %v", answer, err)
		}
	}
	if err := (&Client{Binary: servers.Restic(t)}).CheckVersion(t.Context()); err != nil {
		t.Error(err)
	}
}
