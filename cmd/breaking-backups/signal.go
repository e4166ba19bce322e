package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// interruption is a context's cause when a signal asked the program to end.
type interruption struct{ signal syscall.Signal }

func (i interruption) Error() string {
	name := map[syscall.Signal]string{syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM"}[i.signal]
	return fmt.Sprintf("interrupted by %s", name)
}

// code is the exit code that a shell gives a program ended by the signal: 130 or 143.
func (i interruption) code() int { return 128 + int(i.signal) }

// withSignals returns a context that the first SIGINT or SIGTERM cancels, an interruption its cause, and a channel
// that tells of the second. stop gives the signals back and waits for the goroutine that watched them.
func withSignals(parent context.Context) (ctx context.Context, second <-chan interruption, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	again := make(chan interruption, 1)
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case s := <-signals:
				i := interruption{s.(syscall.Signal)}
				if ctx.Err() != nil {
					again <- i
					return
				}
				cancel(i)
			case <-quit:
				return
			}
		}
	}()
	return ctx, again, func() {
		signal.Stop(signals)
		close(quit)
		<-ended
		cancel(nil)
	}
}
