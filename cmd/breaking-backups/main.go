// Breaking-backups backs a database up into a restic repository on a schedule, and puts it back.
//
// This package is the only one that knows two others: it reads the configuration, wires a dump to
// restic, decides when to run and when to try again, and tells people what happened. A command is a
// file.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// lastMoment is when after a signal the program ends, whatever stands still: whoever sends one, be
// it a container's runtime, kills after 10 seconds. A backup that is told to end takes restic's
// grace of 5 seconds and the webhook's of 4.
const lastMoment = 9500 * time.Millisecond

// run is the program: it runs the command that args name and returns the exit code. It returns
// early, leaving the command to its fate, when a second signal comes, or when the command has not
// ended by the last moment after the first.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	collectEarly(env)
	ctx, second, stop := withSignals(ctx)
	defer stop()
	a := &app{env: env, stdin: stdin, stdout: stdout, stderr: stderr}
	done := make(chan int, 1)
	go func() { done <- a.execute(ctx, args) }()
	return outcomeOf(ctx, done, second, stderr)
}

// outcomeOf waits for the command's exit code, a second signal, or the last moment after the first,
// which it tells.
func outcomeOf(ctx context.Context, done <-chan int, second <-chan interruption, stderr io.Writer) int {
	late, cancel := lingering(ctx, lastMoment)
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
		return exitCode(ctx, context.Cause(ctx))
	}
}
