package dump

import (
	"context"
	"errors"
	"io"
	"testing"
)

// Whoever waits for a dump is woken by the end of the context, or by a failure of the load itself,
// and then finds in the context why, and not that a pipe was closed.
func TestInterruptible(t *testing.T) {
	over, broken := errors.New("it is over"), errors.New("it is broken")
	wait := func(ctx context.Context, r io.Reader) error {
		_, err := r.Read(make([]byte, 1))
		if err == nil || ctx.Err() == nil {
			t.Fatalf("read ended with %v in a context that goes on", err)
		}
		return context.Cause(ctx)
	}
	for range 1000 {
		ctx, cancel := context.WithCancelCause(t.Context())
		r, w := io.Pipe()
		go cancel(over)
		err := Interruptible(ctx, r, func(ctx context.Context, _ context.CancelCauseFunc) error { return wait(ctx, r) })
		if err != over {
			t.Fatalf("the context ends: %v", err)
		}
		if _, err := w.Write([]byte("more")); err == nil {
			t.Fatal("r is not closed")
		}

		r, w = io.Pipe()
		err = Interruptible(t.Context(), r, func(ctx context.Context, fail context.CancelCauseFunc) error {
			go func() {
				fail(broken)
				fail(over)
			}()
			return wait(ctx, r)
		})
		if err != broken {
			t.Fatalf("the load fails: %v", err)
		}
		if _, err := w.Write([]byte("more")); err == nil {
			t.Fatal("r is not closed")
		}
	}

	r, _ := io.Pipe()
	if err := Interruptible(t.Context(), r, func(context.Context, context.CancelCauseFunc) error { return nil }); err != nil {
		t.Error(err)
	}
	open := make(chan error, 1)
	go func() {
		_, err := r.Read(make([]byte, 1))
		open <- err
	}()
	select {
	case err := <-open:
		t.Errorf("what was loaded was closed: %v", err)
	default:
	}
	r.Close()
	<-open
}
