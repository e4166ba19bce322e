package exit

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// One and the same signal sent twice at once ends the program in good order; a second one later,
// now.
func TestSecondSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		ctx, second, stop := watchSignals(t.Context(), signals)
		defer stop()
		signals <- syscall.SIGTERM
		signals <- syscall.SIGTERM
		synctest.Wait()
		var told Interruption
		if !errors.As(context.Cause(ctx), &told) || told.Signal != syscall.SIGTERM {
			t.Errorf("cause %v", context.Cause(ctx))
		}
		<-time.After(againAfter - time.Millisecond)
		signals <- syscall.SIGINT
		synctest.Wait()
		select {
		case <-second:
			t.Fatal("a signal within a second counts as the second")
		default:
		}
		<-time.After(time.Millisecond)
		signals <- syscall.SIGINT
		if got := <-second; got.Signal != syscall.SIGINT {
			t.Errorf("second signal %v", got)
		}
	})
}

// A command that does not end is left at the last moment, even if nobody takes what is said of it.
func TestLastMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		stuck, release := io.Pipe()
		began := time.Now()
		cancel(Interruption{syscall.SIGTERM})
		code := outcomeOf(ctx, make(chan int), nil, release)
		if took := time.Since(began); code != 143 || took > 10*time.Second || took < lastMoment {
			t.Errorf("exit code %d after %s", code, took)
		}
		stuck.Close()
	})
	var said strings.Builder
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(Interruption{syscall.SIGINT})
		if code := outcomeOf(ctx, make(chan int), nil, &said); code != 130 {
			t.Errorf("exit code %d", code)
		}
	})
	if !strings.Contains(said.String(), "interrupted by SIGINT: something does not end") {
		t.Errorf("said %q", said.String())
	}
}
