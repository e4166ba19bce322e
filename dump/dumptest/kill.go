package dumptest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

// Loads are stopped at places of their stream, one of them anywhere, over what the one before has
// left. In the end the same load is made again, and all is there.

// readerFails loads from readers that fail: an error is no end of the stream.
func (s Suite[D]) readerFails(t *testing.T, db D, stream []byte) {
	restored := s.Twin(t, db)
	for _, n := range []int{0, anywhere(stream), len(stream) / 2, len(stream)} {
		name := fmt.Sprintf("reader fails after %d of %d bytes", n, len(stream))
		broken := errors.New(name)
		s.ends(t, restored, name, broken, func(end func()) error {
			return s.loader(t, restored, Options{Jobs: 4, Clean: true}).Load(t.Context(), &reader{stream: stream, n: n, do: func() error { end(); return broken }})
		})
	}
	s.again(t, restored, 4, stream)
}

// loadCancelled cancels loads before they begin and under way.
func (s Suite[D]) loadCancelled(t *testing.T, db D, stream []byte) {
	restored := s.Twin(t, db)
	for _, n := range []int{-1, 0, anywhere(stream), len(stream) / 2} {
		name := fmt.Sprintf("load cancelled after %d of %d bytes", n, len(stream))
		cause := errors.New(name)
		s.ends(t, restored, name, cause, func(end func()) error {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			stop := func() error { end(); cancel(cause); return nil }
			if n < 0 {
				stop()
			}
			return s.loader(t, restored, Options{Jobs: 4, Clean: true}).Load(ctx, &reader{stream: stream, n: max(n, 0), do: stop})
		})
	}
	s.again(t, restored, 4, stream)
}

// sessionsKilled ends the sessions of loads at the server, which are then as if the network were
// gone: what was sent may be there or not.
func (s Suite[D]) sessionsKilled(t *testing.T, db D, stream []byte) {
	restored := s.Twin(t, db)
	for _, jobs := range []int{1, 2, 4} {
		n := len(stream)/8 + anywhere(stream)/8*7 // the load has begun
		name := fmt.Sprintf("sessions of a load by %d connections killed after %d of %d bytes", jobs, n, len(stream))
		s.ends(t, restored, name, nil, func(end func()) error {
			killed := false
			kill := func() error {
				if killed {
					return nil
				}
				killed = true
				end()
				return s.Kill(t.Context(), restored)
			}
			return s.loader(t, restored, Options{Jobs: jobs, Clean: true}).Load(t.Context(), &reader{stream: stream, n: n, do: kill})
		})
		s.again(t, restored, jobs, stream)
	}
}

// again loads over what a load has left that did not come to its end.
func (s Suite[D]) again(t *testing.T, restored D, jobs int, stream []byte) {
	t.Helper()
	s.load(t, restored, Options{Jobs: jobs, Clean: true}, stream)
	s.dumpsAs(t, "a dump of what was restored in the end", stream, restored, 4)
	s.noSessions(t, restored)
}

// anywhere is a place of a stream, another one in each run.
func anywhere(stream []byte) int { return rand.IntN(len(stream)) }
