package restic

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
)

var errCut = errors.New("connection cut")

// cut is a stream that breaks off after n bytes.
func cut(n int64) io.Reader { return io.MultiReader(restictest.Noise(n, 3), broken{errCut}) }

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// at calls do once n bytes have been read.
type at struct {
	r  io.Reader
	n  int64
	do func()
}

func (a *at) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	if a.n -= int64(n); a.n <= 0 && a.do != nil {
		a.do()
		a.do = nil
	}
	return n, err
}

func TestReaderFails(t *testing.T) {
	client, _ := newClient(t)
	offsets := []int64{0, 1, 100 << 10, 40 << 20}
	for range 4 {
		offsets = append(offsets, rand.Int64N(16<<20))
	}
	for _, offset := range offsets {
		began := time.Now()
		_, err := client.Backup(t.Context(), options, cut(offset))
		if !errors.Is(err, errCut) {
			t.Errorf("cut at %d: %v", offset, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("cut at %d: it took %s", offset, took)
		}
	}
	wantUntouched(t, client, 0)
}

func TestCancel(t *testing.T) {
	client, _ := newClient(t)
	for _, after := range []int64{1, 1 << 20, 20 << 20} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := client.Backup(ctx, options, &at{r: restictest.Noise(1<<40, 4), n: after, do: cancel})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after %d: %v", after, err)
		}
	}
	wantUntouched(t, client, 0)
}

// A stream that has nothing to say must not keep a cancelled backup, nor one whose restic has died.
func TestSilentReader(t *testing.T) {
	client, _ := newClient(t)
	t.Run("cancelled", func(t *testing.T) {
		r, w := io.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_, _ = w.Write(make([]byte, 1<<20)) // more than a socket holds: restic is reading
			cancel()
		}()
		if _, err := client.Backup(ctx, options, r); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("restic gone", func(t *testing.T) {
		client := *client
		client.Binary = restictest.Script(t, "echo no space left >&2; exit 1")
		r, w := io.Pipe()
		_, err := client.Backup(t.Context(), options, r)
		if err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("backup: %v", err)
		}
		if _, writeErr := w.Write([]byte("more")); !errors.Is(writeErr, err.(*Error)) {
			t.Errorf("the writer got %v", writeErr)
		}
	})
	wantUntouched(t, client, 0)
}

// A restic that does not react to the interrupt is killed.
func TestDeafRestic(t *testing.T) {
	client := &Client{Binary: restictest.Script(t, `trap "" INT; while :; do read x || :; done`), Grace: 200 * time.Millisecond}
	if _, err := client.Backup(t.Context(), options, cut(1)); !errors.Is(err, errCut) {
		t.Error(err)
	}
}

// What restic says it has stored is held against what was sent; a snapshot of less does not stay.
func TestLyingRestic(t *testing.T) {
	client, _ := newClient(t)
	real := client.Binary
	for _, test := range []struct{ name, script, want string }{
		{"reads half", `head -c 1000 | ` + real + ` "$@"`, "restic read 1000 bytes of 2000"},
		{"reads half and fails", `head -c 1000 | ` + real + ` "$@"; exit 3`, "restic: exit status 3"},
		{"reads nothing", `: | ` + real + ` "$@"`, ""},
		{"incomplete", real + ` "$@"; exit 3`, "exit status 3"},
		{"no summary", `cat >/dev/null`, "without a snapshot"},
		{"not json", `cat >/dev/null; echo '{"message_type":"summary"'`, "without a snapshot"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := *client
			client.Binary = restictest.Script(t, `if [ "$1" != backup ]; then exec `+real+` "$@"; fi; `+test.script)
			_, err := client.Backup(t.Context(), options, restictest.Noise(2000, 5))
			if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(test.want, "restic: ")) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	wantUntouched(t, client, 0)
}

// An interrupt that comes after the commit may find the snapshot made: that is a success, and it is
// whole.
func TestCancelAfterCommit(t *testing.T) {
	client, _ := newClient(t)
	real := client.Binary
	ctx, cancel := context.WithCancel(t.Context())
	done := filepath.Join(t.TempDir(), "done")
	client.Binary = restictest.Script(t, `trap "exit 130" INT; `+real+` "$@" && touch `+done+`; while :; do sleep 1; done`)
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(done); err == nil {
				cancel()
			}
			runtime.Gosched()
		}
	}()
	summary, err := client.Backup(ctx, options, restictest.Noise(2000, 6))
	if err != nil || summary.TotalBytesProcessed != 2000 {
		t.Errorf("%+v, %v", summary, err)
	}
	client.Binary = real
	wantSnapshots(t, client, 1)
}

func TestSecretsStayInTheEnvironment(t *testing.T) {
	out := filepath.Join(t.TempDir(), "args")
	client := &Client{
		Binary: restictest.Script(t, `echo "$@" >`+out+`; cat >/dev/null; echo "Fatal: unable to open rest:http://me:hunter2@host/" >&2; exit 1`),
		Env:    append(restictest.Environment("rest:http://me:hunter2@host/"), "RESTIC_PASSWORD=hunter2"),
	}
	_, err := client.Backup(t.Context(), options, strings.NewReader("x"))
	args, readErr := os.ReadFile(out)
	if readErr != nil {
		t.Fatal(readErr)
	}
	want := "backup --json --no-scan --stdin --stdin-filename=app.sql --host=db.example --tag=app --tag=env=test\n"
	if string(args) != want {
		t.Errorf("arguments: %s", args)
	}
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "http://me:***@host/") {
		t.Errorf("error: %v", err)
	}
}

// The memory of a backup does not depend on how long the stream is.
func TestBigStream(t *testing.T) {
	client, _ := newClient(t)
	const size = 300 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	summary := backUp(t, client, restictest.Noise(size, 7))
	runtime.ReadMemStats(&after)
	if summary.TotalBytesProcessed != size {
		t.Errorf("%d bytes, want %d", summary.TotalBytesProcessed, size)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 2<<20 {
		t.Errorf("%d bytes were allocated for a stream of %d", allocated, size)
	}
}
