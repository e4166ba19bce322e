package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(fillForever(dir))
	}
	goleak.VerifyTestMain(m)
}

// text is n bytes, half of which compress.
func text(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data[:n/2])
	return data
}

func produce(data []byte, err error) func(context.Context, io.Writer) error {
	return func(_ context.Context, w io.Writer) error {
		if _, err := w.Write(data); err != nil {
			return err
		}
		return err
	}
}

func fill(t testing.TB, dir string, data []byte) *Spool {
	t.Helper()
	s, err := Fill(t.Context(), SpoolOptions{Dir: dir}, produce(data, nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Remove() })
	return s
}

func TestSpool(t *testing.T) {
	for _, size := range []int{0, 1, 100, 5 << 20} {
		dir := filepath.Join(t.TempDir(), "work")
		data := text(size)
		s := fill(t, dir, data)
		if s.Size() != int64(size) || s.Stored() > int64(size)*3/4+1000 {
			t.Errorf("%d bytes: size %d, stored %d", size, s.Size(), s.Stored())
		}
		wantMode(t, dir, os.ModeDir|0o700)
		wantMode(t, s.file.Name(), 0o600)

		first, err := s.Open()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = first.Read(make([]byte, 10)) // a try that was given up
		for range 2 {
			r, err := s.Open()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes: read %d, %v", size, len(got), err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		_ = first.Close()
		if removed, err := CleanSpool(dir); removed != 0 || err != nil {
			t.Errorf("a living spool was taken for a dead one: %d, %v", removed, err)
		}
		for range 2 {
			if err := s.Remove(); err != nil {
				t.Error(err)
			}
		}
		wantEmpty(t, dir)
	}
}

func TestSpoolOfAFailedProducer(t *testing.T) {
	dir := t.TempDir()
	_, err := Fill(t.Context(), SpoolOptions{Dir: dir}, produce(text(5<<20), errDump))
	if !errors.Is(err, errDump) {
		t.Error(err)
	}
	wantEmpty(t, dir)
}

func TestSpoolSpace(t *testing.T) {
	dir := t.TempDir()
	free, err := freeSpace(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Fill(t.Context(), SpoolOptions{Dir: dir, Reserve: free + 1<<30}, func(context.Context, io.Writer) error {
		t.Error("the producer was started")
		return nil
	})
	var space *SpaceError
	if !errors.As(err, &space) || space.Dir != dir || space.Needed < free || space.Free > free+1<<30 {
		t.Error(err)
	}
	wantEmpty(t, dir)
}

func TestSpaceRunsOut(t *testing.T) {
	t.Run("into the reserve", func(t *testing.T) {
		w := &spaceWriter{dir: t.TempDir(), file: io.Discard}
		free, err := freeSpace(w.dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, checkEvery)); err != nil {
			t.Fatal(err)
		}
		w.reserve = free + 1<<30 // as if others had filled the disk
		var space *SpaceError
		if _, err := w.Write(make([]byte, 1)); !errors.As(err, &space) {
			t.Errorf("write: %v", err)
		}
	})
	t.Run("wholly", func(t *testing.T) {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		w := &spaceWriter{dir: t.TempDir(), file: full}
		_, err = w.Write(make([]byte, 1000))
		var space *SpaceError
		if !errors.As(err, &space) || space.Dir != w.dir {
			t.Errorf("write: %v", err)
		}
		// Even if the producer makes something else of it.
		if err := w.cause(errDump); !errors.As(err, &space) {
			t.Errorf("cause: %v", err)
		}
	})
}

// Cut anywhere, or with any byte changed, a spool is an error: never a shorter stream, never
// another one.
func TestSpoolDamaged(t *testing.T) {
	data := text(3000)
	s := fill(t, t.TempDir(), data)
	whole, err := os.ReadFile(s.file.Name())
	if err != nil {
		t.Fatal(err)
	}
	for cut := range whole {
		if got, err := readSpool(t, whole[:cut]); err == nil {
			t.Errorf("cut at %d of %d: %d bytes and no error", cut, len(whole), len(got))
		}
		changed := bytes.Clone(whole)
		changed[cut] ^= 0x10
		if got, err := readSpool(t, changed); err == nil && !bytes.Equal(got, data) {
			t.Errorf("byte %d changed: %d bytes and no error", cut, len(got))
		}
	}
	if _, err := readSpool(t, whole[:len(whole)-1]); !errors.Is(err, ErrTruncated) {
		t.Error(err)
	}
}

func FuzzSpoolFile(f *testing.F) {
	data := text(3000)
	s := fill(f, f.TempDir(), data)
	whole, err := os.ReadFile(s.file.Name())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(endMark(0))
	f.Add(append([]byte{0x28, 0xb5, 0x2f, 0xfd}, endMark(7)...))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := readSpool(t, file)
		if err == nil && string(file[len(file)-endSize:]) != string(endMark(int64(len(got)))) {
			t.Errorf("%d bytes and no error", len(got))
		}
	})
}

// readSpool reads a spool file that has these bytes.
func readSpool(t testing.TB, data []byte) ([]byte, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newSpoolReader(file)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, 1<<20))
}

// The memory of a spool does not depend on how long the stream is.
func TestSpoolMemory(t *testing.T) {
	const size = 256 << 20
	row := bytes.Repeat([]byte("4711\tsome text of a row\t2026-11-23\n"), 1000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s, err := Fill(t.Context(), SpoolOptions{Dir: t.TempDir()}, func(_ context.Context, w io.Writer) error {
		for range size / len(row) {
			if _, err := w.Write(row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Remove()
	r, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := io.Copy(io.Discard, r); n != s.Size() || err != nil {
		t.Errorf("%d bytes of %d, %v", n, s.Size(), err)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 16<<20 {
		t.Errorf("%d bytes were allocated for a stream of %d", allocated, s.Size())
	}
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != want {
		t.Errorf("%s has mode %v", path, info.Mode())
	}
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("%s holds %v, %v", dir, entries, err)
	}
}
