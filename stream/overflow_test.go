package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func randomBytes(n int) []byte {
	rng := rand.New(rand.NewPCG(uint64(n), 13))
	line := make([]byte, 1009)
	for i := range line {
		line[i] = byte(rng.Uint32())
	}
	return bytes.Repeat(line, n/len(line)+1)[:n]
}

// writeIn writes text in pieces of all sizes.
func writeIn(w io.Writer, text []byte) error {
	rng := rand.New(rand.NewPCG(uint64(len(text)), 14))
	for len(text) > 0 {
		n := min(1+rng.IntN(600<<10), len(text))
		if m, err := w.Write(text[:n]); err != nil || m != n {
			return errors.Join(err, io.ErrShortWrite)
		}
		text = text[n:]
	}
	return nil
}

func wantNoFiles(t *testing.T, dir string) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left in the spool's folder: %v, %v", entries, err)
	}
}

// A producer is done while its consumer takes nothing, and the consumer gets all of it later.
func TestOverflow(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	text := randomBytes(5 << 20)
	for _, taken := range []int64{0, 1, 1 << 20} { // before it sleeps
		dir := t.TempDir()
		spilling, done := 0, make(chan struct{})
		options := PipeOptions{Stall: 20 * time.Millisecond, Spill: &SpoolOptions{Dir: dir}, Spilling: func() { spilling++ }}
		var got bytes.Buffer
		n, err := options.Pipe(t.Context(), func(_ context.Context, w io.Writer) error {
			defer close(done)
			return writeIn(w, text)
		}, func(_ context.Context, r io.Reader) error {
			if _, err := io.CopyN(&got, r, taken); err != nil {
				return err
			}
			<-done // and not before
			_, err := io.Copy(&got, r)
			return err
		})
		if err != nil || n != int64(len(text)) || !bytes.Equal(got.Bytes(), text) {
			t.Errorf("after %d bytes: %d of %d passed, %v", taken, n, len(text), err)
		}
		if spilling != 1 {
			t.Errorf("told %d times that it spills", spilling)
		}
		wantNoFiles(t, dir)
	}
}

// A consumer that keeps up spills nothing.
func TestNoOverflow(t *testing.T) {
	text := randomBytes(5 << 20)
	options := PipeOptions{Stall: time.Minute, Spill: &SpoolOptions{Dir: t.TempDir()}, Spilling: func() { t.Error("it spills") }}
	for _, size := range []int{0, 1, overflowSize, 2*overflowSize + 1, len(text)} {
		var got bytes.Buffer
		n, err := options.Pipe(t.Context(), func(_ context.Context, w io.Writer) error { return writeIn(w, text[:size]) }, func(_ context.Context, r io.Reader) error {
			_, err := io.Copy(&got, r)
			return err
		})
		if err != nil || n != int64(size) || !bytes.Equal(got.Bytes(), text[:size]) {
			t.Errorf("%d of %d bytes passed, %v", n, size, err)
		}
	}
}

// Whatever breaks, both end, and nothing is left.
func TestOverflowFails(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	text := randomBytes(5 << 20)
	broken := errors.New("it broke")
	var spilling chan struct{}
	sleep := func(ctx context.Context, r io.Reader) error { <-ctx.Done(); return context.Cause(ctx) }
	for name, tt := range map[string]struct {
		reserve int64
		produce func(ctx context.Context, w io.Writer) error
		consume func(ctx context.Context, r io.Reader) error
		is      func(error) bool
	}{
		"the producer": {
			produce: func(_ context.Context, w io.Writer) error { return errors.Join(writeIn(w, text), broken) },
			consume: sleep,
			is:      func(err error) bool { return errors.As(err, new(*ProduceError)) && errors.Is(err, broken) },
		},
		"the consumer": {
			produce: func(ctx context.Context, w io.Writer) error {
				for ctx.Err() == nil { // it has more than any patience
					if err := writeIn(w, text); err != nil {
						return err
					}
				}
				return context.Cause(ctx)
			},
			consume: func(context.Context, io.Reader) error { <-spilling; return broken },
			is:      func(err error) bool { return errors.As(err, new(*ConsumeError)) && errors.Is(err, broken) },
		},
		"the space": {
			reserve: 1 << 60,
			produce: func(_ context.Context, w io.Writer) error { return writeIn(w, text) },
			consume: sleep,
			is: func(err error) bool {
				return errors.As(err, new(*SpaceError)) && errors.As(err, new(*StallError))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			spilling = make(chan struct{})
			options := PipeOptions{Stall: 20 * time.Millisecond, Spill: &SpoolOptions{Dir: dir, Reserve: tt.reserve}, Spilling: func() { close(spilling) }}
			if _, err := options.Pipe(t.Context(), tt.produce, tt.consume); !tt.is(err) {
				t.Errorf("error %v", err)
			}
			wantNoFiles(t, dir)
		})
	}
}

// Without a place for it a stream ends that its consumer keeps waiting.
func TestStall(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	_, err := PipeOptions{Stall: 50 * time.Millisecond}.Pipe(t.Context(), func(_ context.Context, w io.Writer) error {
		return writeIn(w, randomBytes(5<<20))
	}, func(ctx context.Context, r io.Reader) error {
		if _, err := io.CopyN(io.Discard, r, 10); err != nil {
			return err
		}
		<-ctx.Done()
		return context.Cause(ctx)
	})
	if !errors.As(err, new(*ConsumeError)) || !errors.As(err, new(*StallError)) {
		t.Errorf("error %v", err)
	}
	// A producer may take its time.
	_, err = PipeOptions{Stall: 50 * time.Millisecond}.Pipe(t.Context(), func(_ context.Context, w io.Writer) error {
		time.Sleep(200 * time.Millisecond)
		return writeIn(w, randomBytes(10))
	}, func(_ context.Context, r io.Reader) error { _, err := io.Copy(io.Discard, r); return err })
	if err != nil {
		t.Errorf("of a slow producer: %v", err)
	}
}

// Who is waited for, and for how long.
func TestStill(t *testing.T) {
	m := newMotion()
	if side, _ := m.still(); side != 0 {
		t.Errorf("side %d while nobody waits", side)
	}
	m.wait(&m.writing)
	m.began = m.began.Add(-time.Minute) // a minute later
	if side, since := m.still(); side != Consumer || since < time.Minute || since > 2*time.Minute {
		t.Errorf("side %d for %s, want the consumer for a minute", side, since)
	}
	m.move(&m.writing, 10)
	m.wait(&m.reading)
	if side, since := m.still(); side != Producer || since > time.Minute {
		t.Errorf("side %d for %s, want the producer for no time", side, since)
	}
}

// Of two that end in failures the producer's, which came first, is told, however quick the consumer
// is.
func TestOverflowBlamesWhoFailed(t *testing.T) {
	broken := errors.New("it broke")
	options := PipeOptions{Stall: time.Minute, Spill: &SpoolOptions{Dir: t.TempDir()}}
	for range 500 {
		_, err := options.Pipe(t.Context(), func(_ context.Context, w io.Writer) error {
			_, _ = w.Write([]byte("x"))
			return broken
		}, func(_ context.Context, r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		})
		if !errors.As(err, new(*ProduceError)) {
			t.Fatalf("error %T: %v", err, err)
		}
	}
}
