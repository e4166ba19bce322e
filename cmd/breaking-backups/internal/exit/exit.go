// Package exit is how the program ends: the kinds of error that have an exit code, the signals that
// ask it to end, and which code comes of both. What a person can do about an error is not its
// subject.
package exit

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Exit codes, besides those of interruption. They are stated in help and in docs/operations.md.
const (
	Done     = 0
	failed   = 1 // backup or restore failed; no snapshot was made
	Usage    = 2 // wrong use or configuration; nothing was contacted but the webhook
	FollowUp = 3 // the snapshot is safe, but forget, prune or the notification failed

	unhealthy = 4 // a backup or a drill is older than its schedule allows
	untried   = 5 // a drill could not be tried, and says nothing of the snapshot
)

// Codes is what they mean, for people.
func Codes() []struct{ Code, Meaning string } {
	return []struct{ Code, Meaning string }{
		{"0", "done"},
		{"1", "failed: no snapshot was made, or the restore is not whole"},
		{"2", "wrong use or configuration; nothing was contacted but the webhook"},
		{"3", "the snapshot is safe, but forget, prune or the notification failed"},
		{"4", "healthcheck: a backup or a drill is older than its schedule allows, or nobody answers"},
		{"5", "verify: the drill could not be tried, and says nothing of the snapshot"},
		{"130", "interrupted by SIGINT; 143: by SIGTERM"},
	}
}

// UsageError is a command line that makes no sense.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }
func (e UsageError) Unwrap() error { return e.Err }

// FollowUpError is a failure of what comes after a snapshot.
type FollowUpError struct{ Err error }

func (e FollowUpError) Error() string { return e.Err.Error() }
func (e FollowUpError) Unwrap() error { return e.Err }

// UnhealthyError is why not all is well.
type UnhealthyError struct{ Err error }

func (e UnhealthyError) Error() string { return e.Err.Error() }
func (e UnhealthyError) Unwrap() error { return e.Err }

// UntriedError is why a drill could not be tried.
type UntriedError struct{ Err error }

func (e UntriedError) Error() string { return e.Err.Error() }
func (e UntriedError) Unwrap() error { return e.Err }

// ReportedError is an error that the log has already told.
type ReportedError struct{ Err error }

func (e ReportedError) Error() string { return e.Err.Error() }
func (e ReportedError) Unwrap() error { return e.Err }

// Code is the exit code for what a command returned under ctx.
func Code(ctx context.Context, err error) int {
	var usage UsageError
	var config *ConfigError
	var followUp FollowUpError
	var signal Interruption
	switch {
	case err == nil:
		return Done
	case errors.As(err, &usage), errors.As(err, &config):
		return Usage
	case errors.As(err, &followUp): // also when a signal cut it short: whoever sees 130 or 143 may count on there being no snapshot
		return FollowUp
	case errors.As(context.Cause(ctx), &signal):
		return signal.code()
	case errors.As(err, new(UntriedError)):
		return untried
	case errors.As(err, new(UnhealthyError)):
		return unhealthy
	}
	return failed
}

// Explain puts the signal in the place of whatever broke when it came.
func Explain(ctx context.Context, err error) error {
	var signal Interruption
	var followUp FollowUpError
	if err == nil || !errors.As(context.Cause(ctx), &signal) {
		return err
	}
	if errors.As(err, &followUp) {
		return FollowUpError{signal}
	}
	return signal
}

// ConfigError is everything that is wrong with the configuration, each mistake in a line: the
// variable, what is wrong with it, and what is wanted in its place. That stands with each, and in
// no hint: the hints stand below all of them.
type ConfigError struct{ Mistakes []error }

func (e *ConfigError) Error() string {
	if len(e.Mistakes) == 1 {
		return "configuration: " + e.Mistakes[0].Error()
	}
	var lines strings.Builder
	for _, mistake := range e.Mistakes {
		lines.WriteString("\n  " + mistake.Error())
	}
	return fmt.Sprintf("configuration: %d mistakes%s", len(e.Mistakes), lines.String())
}

// Unwrap is all mistakes.
func (e *ConfigError) Unwrap() []error { return e.Mistakes }
