package stream

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// slow is now and then slow, at random by a seed, and passes pieces of any size.
type slow struct{ random *rand.Rand }

func newSlow(seed uint64) slow { return slow{rand.New(rand.NewPCG(seed, 1))} }

func (s slow) step() {
	switch n := s.random.IntN(256); {
	case n < 2:
		time.Sleep(time.Duration(s.random.IntN(2000)) * time.Microsecond)
	case n < 64:
		runtime.Gosched()
	}
}

// write writes data in pieces.
func (s slow) write(w io.Writer, data []byte) error {
	for len(data) > 0 {
		s.step()
		n, err := w.Write(data[:min(len(data), 1+s.random.IntN(1<<s.random.IntN(20)))])
		if data = data[n:]; err != nil {
			return err
		}
	}
	return nil
}

type slowWriter struct {
	slow
	w io.Writer
}

func (w slowWriter) Write(p []byte) (int, error) {
	if err := w.slow.write(w.w, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

type slowReader struct {
	slow
	r io.Reader
}

func (r slowReader) Read(p []byte) (int, error) {
	r.step()
	return r.r.Read(p[:1+r.random.IntN(len(p))])
}

// Whoever is slow and whatever the sizes of the pieces, what goes in comes out, in the same
// compressed bytes, and no side waits for ever; nor does it when one of them gives up on the way.
func TestSlowStreams(t *testing.T) {
	data := make([]byte, 2<<20)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(random.IntN(1 + i>>13))
	}
	var want bytes.Buffer
	if _, err := Compress(t.Context(), &want, CompressOptions{Level: 1}, func(_ context.Context, w io.Writer) error {
		_, err := w.Write(data)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(15) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		stop := int64(-1) // where one side gives up, or none does
		if seed%3 > 0 {
			stop = random.Int64N(int64(want.Len()))
		}
		var packed bytes.Buffer
		done := make(chan error, 1)
		go func() {
			_, err := Pipe(ctx, func(ctx context.Context, w io.Writer) error {
				produce := slowWriter{newSlow(seed), w}
				_, err := Compress(ctx, produce, CompressOptions{Level: 1, Concurrency: 1 + int(seed%5)}, func(_ context.Context, w io.Writer) error {
					if seed%3 == 2 {
						return newSlow(seed).write(w, data[:stop])
					}
					return newSlow(seed+100).write(w, data)
				})
				if seed%3 == 2 && err == nil {
					err = io.ErrNoProgress
				}
				return err
			}, func(_ context.Context, r io.Reader) error {
				r = slowReader{newSlow(seed + 200), r}
				if seed%3 == 1 {
					_, err := io.CopyN(&packed, r, stop)
					if err == nil {
						err = io.ErrShortBuffer
					}
					return err
				}
				_, err := io.Copy(&packed, r)
				return err
			})
			done <- err
		}()
		select {
		case err := <-done:
			if (err == nil) != (stop < 0) {
				t.Errorf("seed %d: error %v", seed, err)
			}
		case <-ctx.Done():
			t.Fatalf("seed %d: they wait for each other", seed)
		}
		cancel()
		if stop >= 0 {
			continue
		}
		if !bytes.Equal(packed.Bytes(), want.Bytes()) {
			t.Errorf("seed %d: other bytes", seed)
		}
		r, err := Decompress(slowReader{newSlow(seed + 300), &packed})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("seed %d: read back: %v, the same: %v", seed, err, bytes.Equal(got, data))
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
