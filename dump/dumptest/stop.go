package dumptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// writerFails dumps into writers that fail.
func (s Suite[D]) writerFails(t *testing.T, db D, stream []byte) {
	l := len(stream)
	for _, n := range []int{0, 1, l / 3, l - l/8, l - 1} {
		name := fmt.Sprintf("writer fails after %d of %d bytes", n, l)
		broken := errors.New(name)
		s.ends(t, db, name, broken, func(end func()) error {
			return s.Source(t, db, 4, nil).Dump(t.Context(), &writer{n: n, do: func() error { end(); return broken }})
		})
	}
}

// dumpCancelled cancels dumps before they begin and under way.
func (s Suite[D]) dumpCancelled(t *testing.T, db D, stream []byte) {
	for _, n := range []int{-1, 0, len(stream) / 3} {
		name := fmt.Sprintf("dump cancelled after %d of %d bytes", n, len(stream))
		cause := errors.New(name)
		s.ends(t, db, name, cause, func(end func()) error {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			stop := func() error { end(); cancel(cause); return nil }
			if n < 0 {
				stop()
			}
			return s.Source(t, db, 4, nil).Dump(ctx, &writer{n: max(n, 0), do: stop})
		})
	}
}

// ends runs something that is brought to its end from outside, the moment of which it tells. It
// must then end at once, with the error given, any one for nil, or that of its cancelled context,
// and leave neither goroutine nor session.
func (s Suite[D]) ends(t *testing.T, db D, name string, want error, run func(end func()) error) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	var once sync.Once
	var ended time.Time
	err := run(func() { once.Do(func() { ended = time.Now() }) })
	switch {
	case ended.IsZero():
		t.Errorf("%s: it came to its end before that: %v", name, err)
	case err == nil:
		t.Errorf("%s: no error", name)
	case want != nil && !errors.Is(err, want) && !errors.Is(err, context.Canceled):
		t.Errorf("%s: error %v, want that", name, err)
	case time.Since(ended) > prompt:
		t.Errorf("%s: it took %v", name, time.Since(ended))
	}
	if err := goleak.Find(before); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	s.noSessions(t, db)
}

// noSessions fails the test if a session stays on db's server.
func (s Suite[D]) noSessions(t *testing.T, db D) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	late := time.After(prompt)
	for s.Sessions(t, db) > 0 {
		select {
		case <-again.C:
		case <-late:
			t.Errorf("%d sessions stay on the server", s.Sessions(t, db))
			return
		}
	}
}

// oneMoment dumps a ledger that is written to all the while.
func (s Suite[D]) oneMoment(t *testing.T) {
	db := s.New(t)
	s.Ledger.Fill(t, db)
	total := s.Ledger.Total(t, db)
	idle := s.dump(t, db, 1, nil)

	ctx, stop := context.WithCancel(t.Context())
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var writers sync.WaitGroup
	for range 3 {
		writers.Go(func() {
			for ctx.Err() == nil {
				if err := s.Ledger.Transfer(ctx, db); err != nil && ctx.Err() == nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				done.Add(1)
			}
		})
	}
	defer writers.Wait()
	defer stop()

	// The dump goes on only as the others do.
	others := func() error {
		again := time.NewTicker(time.Millisecond)
		defer again.Stop()
		late := time.After(time.Minute)
		for until := done.Load() + 10; done.Load() < until; {
			select {
			case <-again.C:
				if err := failed.Load(); err != nil {
					return fmt.Errorf("transfer: %w", *err)
				}
			case <-late:
				return errors.New("the dump keeps the others from writing")
			}
		}
		return nil
	}
	for _, jobs := range []int{1, 4} {
		if err := others(); err != nil {
			t.Fatal(err)
		}
		var stream bytes.Buffer
		stream.Grow(len(idle) + len(idle)/8)
		step := len(idle) / 8
		w := &writer{to: &stream, n: step}
		w.do = func() error { w.n += step; return others() }
		if err := s.Source(t, db, jobs, nil).Dump(t.Context(), w); err != nil {
			t.Fatalf("dump by %d connections: %v", jobs, err)
		}
		restored := s.Twin(t, db)
		s.load(t, restored, Options{Jobs: jobs}, stream.Bytes())
		if got := s.Ledger.Total(t, restored); got != total {
			t.Errorf("dump by %d connections: the accounts restored hold %d, want %d", jobs, got, total)
		}
		if bytes.Equal(idle, stream.Bytes()) {
			t.Errorf("dump by %d connections: nothing that was written before it is in it", jobs)
		}
	}
}

// A writer does something when n bytes have gone through it, and again with each Write for as long
// as n is not raised.
type writer struct {
	to   io.Writer // nil: nowhere
	n    int
	do   func() error
	seen int
}

func (w *writer) Write(p []byte) (int, error) {
	w.seen += len(p)
	if w.seen > w.n {
		if err := w.do(); err != nil {
			return 0, err
		}
	}
	if w.to == nil {
		return len(p), nil
	}
	return w.to.Write(p)
}

// A reader does something when n bytes of the stream were read.
type reader struct {
	stream []byte
	n      int
	do     func() error
	seen   int
}

func (r *reader) Read(p []byte) (int, error) {
	if r.seen >= r.n {
		if err := r.do(); err != nil {
			return 0, err
		}
	}
	if r.seen == len(r.stream) {
		return 0, io.EOF
	}
	end := len(r.stream)
	if r.seen < r.n {
		end = min(end, r.n)
	}
	n := copy(p, r.stream[r.seen:end])
	r.seen += n
	return n, nil
}
