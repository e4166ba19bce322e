package dumptest

import (
	"io"
	"math/rand/v2"
	"runtime"
	"time"
)

// Slow is what is now and then slow, at random by a seed: most of its steps take no time, some let
// others go first, and a few take up to two milliseconds. A test with it finds what works only as
// long as everybody keeps step.
type Slow struct{ random *rand.Rand }

// NewSlow returns one whose steps are always the same for a seed.
func NewSlow(seed uint64) *Slow { return &Slow{rand.New(rand.NewPCG(seed, 0))} }

func (s *Slow) step() {
	switch n := s.random.IntN(512); {
	case n < 2:
		time.Sleep(time.Duration(s.random.IntN(2000)) * time.Microsecond)
	case n < 100:
		runtime.Gosched()
	}
}

// Writer returns a writer to w that takes its time, and its bytes in pieces.
func (s *Slow) Writer(w io.Writer) io.Writer { return slowWriter{s, w} }

// Reader returns a reader of r that takes its time, and gives as few bytes as it likes.
func (s *Slow) Reader(r io.Reader) io.Reader { return slowReader{s, r} }

type slowWriter struct {
	*Slow
	w io.Writer
}

func (w slowWriter) Write(p []byte) (n int, err error) {
	for err == nil && len(p) > 0 {
		w.step()
		var m int
		m, err = w.w.Write(p[:1+w.random.IntN(len(p))])
		n, p = n+m, p[m:]
	}
	return n, err
}

type slowReader struct {
	*Slow
	r io.Reader
}

func (r slowReader) Read(p []byte) (int, error) {
	r.step()
	if len(p) > 1 {
		p = p[:1+r.random.IntN(len(p))]
	}
	return r.r.Read(p)
}
