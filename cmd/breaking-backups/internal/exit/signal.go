package exit

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Interruption is a context's cause when a signal asked the program to end.
type Interruption struct{ Signal syscall.Signal }

func (i Interruption) Error() string {
	name := map[syscall.Signal]string{syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM"}[i.Signal]
	return fmt.Sprintf("interrupted by %s", name)
}

// code is the exit code that a shell gives a program ended by the signal: 130 or 143.
func (i Interruption) code() int { return 128 + int(i.Signal) }

// againAfter is how long after the first signal another one means "now". Some send one and the same
// twice within microseconds, as coreutils' timeout does: to its child, and to the group that the
// child is in.
const againAfter = time.Second

// withSignals returns a context that the first SIGINT or SIGTERM cancels, an interruption its
// cause, and a channel that tells of the second, if it comes at least againAfter later. stop gives
// the signals back and waits for the goroutine that watched them.
//
// A write to a pipe whose reader has gone is an error from then on. By Go's own choice it would end
// the program, where that pipe is stdout or stderr: but a log that nobody reads is no reason to end
// a backup.
func withSignals(parent context.Context) (ctx context.Context, second <-chan Interruption, stop func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	broken := make(chan os.Signal, 1) // nobody reads it; ignored, the signal would stay so in restic
	signal.Notify(broken, syscall.SIGPIPE)
	ctx, second, stopWatching := watchSignals(parent, signals)
	return ctx, second, func() {
		signal.Stop(signals)
		signal.Stop(broken)
		stopWatching()
	}
}

func watchSignals(parent context.Context, signals <-chan os.Signal) (ctx context.Context, second <-chan Interruption, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	again := make(chan Interruption, 1)
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var first time.Time
		for {
			select {
			case s := <-signals:
				i := Interruption{s.(syscall.Signal)}
				switch {
				case first.IsZero():
					first = time.Now()
					cancel(i)
				case time.Since(first) >= againAfter:
					again <- i
					return
				}
			case <-quit:
				return
			}
		}
	}()
	return ctx, again, func() {
		close(quit)
		<-ended
		cancel(nil)
	}
}

// Lingering is a context that lives on for a while after ctx is cancelled, and ends with its cause.
func Lingering(ctx context.Context, more time.Duration) (context.Context, context.CancelFunc) {
	lingers, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(more)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(context.Cause(ctx))
		case <-lingers.Done():
		}
	})
	return lingers, func() {
		stop()
		cancel(nil)
	}
}
