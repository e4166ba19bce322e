package exit

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Run runs a program's work and returns its exit code, which is the work's. It returns early,
// leaving the work to its fate, when a second signal comes, or when the work has not ended by the
// last moment after the first; that it tells to stderr.
func Run(ctx context.Context, stderr io.Writer, work func(context.Context) int) int {
	ctx, second, stop := withSignals(ctx)
	defer stop()
	done := make(chan int, 1)
	go func() { done <- work(ctx) }()
	return outcomeOf(ctx, done, second, stderr)
}

// lastMoment is when after a signal the program ends, whatever stands still: whoever sends one, be
// it a container's runtime, kills after 10 seconds. A backup that is told to end takes restic's
// grace of 5 seconds and the webhook's of 4.
const lastMoment = 9500 * time.Millisecond

// outcomeOf waits for the command's exit code, a second signal, or the last moment after the first,
// which it tells.
func outcomeOf(ctx context.Context, done <-chan int, second <-chan Interruption, stderr io.Writer) int {
	late, cancel := Lingering(ctx, lastMoment)
	defer cancel()
	select {
	case code := <-done:
		return code
	case sig := <-second:
		return sig.code()
	case <-late.Done():
		told := make(chan struct{})
		go func() { // stderr may be what stands still
			fmt.Fprintf(stderr, "breaking-backups: error: %v: something does not end; what it has begun may be left behind\n", context.Cause(ctx))
			close(told)
		}()
		select {
		case <-told:
		case <-time.After(100 * time.Millisecond):
		}
		return Code(ctx, context.Cause(ctx))
	}
}
