package main

import (
	"context"
	"errors"
)

// Exit codes, besides those of interruption. They are stated in help and in docs/operations.md.
const (
	exitDone     = 0
	exitFailed   = 1 // backup or restore failed; no snapshot was made
	exitUsage    = 2 // wrong use or configuration; nothing was contacted but the webhook
	exitFollowUp = 3 // the snapshot is safe, but forget, prune or the notification failed
)

// exitCodesHelp is what they mean, for people.
func exitCodesHelp() []struct{ code, meaning string } {
	return []struct{ code, meaning string }{
		{"0", "done"},
		{"1", "failed: no snapshot was made, or the restore is not whole"},
		{"2", "wrong use or configuration; nothing was contacted but the webhook"},
		{"3", "the snapshot is safe, but forget, prune or the notification failed"},
		{"130", "interrupted by SIGINT; 143: by SIGTERM"},
	}
}

// usageError is a command line that makes no sense.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// followUpError is a failure of what comes after a snapshot.
type followUpError struct{ err error }

func (e followUpError) Error() string { return e.err.Error() }
func (e followUpError) Unwrap() error { return e.err }

// reportedError is an error that the log has already told.
type reportedError struct{ error }

func (e reportedError) Unwrap() error { return e.error }

// exitCode is the exit code for what a command returned under ctx.
func exitCode(ctx context.Context, err error) int {
	var usage usageError
	var config *configError
	var followUp followUpError
	var signal interruption
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage), errors.As(err, &config):
		return exitUsage
	case errors.As(err, &followUp): // also when a signal cut it short: whoever sees 130 or 143 may count on there being no snapshot
		return exitFollowUp
	case errors.As(context.Cause(ctx), &signal):
		return signal.code()
	}
	return exitFailed
}

// explain puts the signal in the place of whatever broke when it came.
func explain(ctx context.Context, err error) error {
	var signal interruption
	var followUp followUpError
	if err == nil || !errors.As(context.Cause(ctx), &signal) {
		return err
	}
	if errors.As(err, &followUp) {
		return followUpError{signal}
	}
	return signal
}
