package process

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"syscall"
)

// What restic's exit codes mean, for errors.Is. Restic documents them as stable from 0.17 on.
var (
	ErrIncomplete    = errors.New("restic: part of the work could not be done") // 3
	ErrNoRepository  = errors.New("restic: there is no repository")             // 10
	ErrLocked        = errors.New("restic: the repository is locked")           // 11
	ErrWrongPassword = errors.New("restic: wrong password")                     // 12
	ErrInterrupted   = errors.New("restic: interrupted")                        // 130

	// ErrDamaged is of code 1, and told by restic's words: the password opens a key that does not
	// fit the config.
	ErrDamaged = errors.New("restic: config or key is damaged")

	// ErrNoDelete is told by restic's words too: a store that lets nobody delete, or not with these
	// keys. All but forgetting and pruning works there.
	ErrNoDelete = errors.New("restic: the store refuses to delete")

	// ErrKilled is a restic that the system has killed, or somebody, and not this package.
	ErrKilled = errors.New("restic: killed")
)

// Error is a run of restic that did not end with exit status 0.
type Error struct {
	Op     string // what was asked for: "backup", "forget", …
	Code   int    // exit status; -1 when a signal ended it
	Stderr string // the last of what restic said, on one line, without passwords of URLs
	Err    error  // the exit status as os/exec tells it, or why we interrupted it (a context's cause)
}

// Error gives the operation, then restic's own words, or the exit status if it said nothing. Of a
// restic that we have interrupted it gives our reason; if that was a deadline, what restic said is
// why it was missed.
func (e *Error) Error() string {
	if killed, ok := e.signal(); ok {
		text := fmt.Sprintf("%s: restic was ended by a signal: %v", e.Op, killed)
		if killed == syscall.SIGKILL {
			text = e.Op + ": restic was killed: out of memory?"
		}
		if e.Stderr != "" {
			text += " (last it said: " + e.Stderr + ")"
		}
		return text
	}
	if why := deleteRefused(e.Stderr); why != "" && !e.interrupted() {
		return fmt.Sprintf("%s: the store refuses to delete: %s", e.Op, why)
	}
	switch late := errors.Is(e.Err, context.DeadlineExceeded); {
	case e.Stderr == "" || e.interrupted() && !late:
		return fmt.Sprintf("%s: %v", e.Op, e.Err)
	case e.Code < 0 || late:
		return fmt.Sprintf("%s: %v: restic: %s", e.Op, e.Err, e.Stderr)
	}
	return fmt.Sprintf("%s: restic: %s", e.Op, e.Stderr)
}

func (e *Error) Unwrap() error { return e.Err }

// Is matches the sentinel of the exit code.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrDamaged:
		return e.DamagedKey() != ""
	case ErrNoDelete:
		return deleteRefused(e.Stderr) != ""
	case ErrKilled:
		killed, ok := e.signal()
		return ok && killed == syscall.SIGKILL
	}
	switch e.Code {
	case 3:
		return target == ErrIncomplete
	case 10:
		return target == ErrNoRepository
	case 11:
		return target == ErrLocked
	case 12:
		return target == ErrWrongPassword
	case 130:
		return target == ErrInterrupted
	}
	return false
}

var damaged = regexp.MustCompile(`config or key ([0-9a-f]{64}) is damaged`)

// DamagedKey is the ID of the key that the password opens and that does not fit the config, if that
// is what restic says; else it is empty.
func (e *Error) DamagedKey() string {
	if match := damaged.FindStringSubmatch(e.Stderr); match != nil {
		return match[1]
	}
	return ""
}

// signal is what ended restic, if it was a signal and none of ours.
func (e *Error) signal() (syscall.Signal, bool) {
	var exit *exec.ExitError
	if !errors.As(e.Err, &exit) {
		return 0, false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return 0, false
	}
	return status.Signal(), true
}

// interrupted reports whether we ended restic ourselves.
func (e *Error) interrupted() bool {
	var exit *exec.ExitError
	return !errors.As(e.Err, &exit)
}

// A RefusedError is why a restic was ended whose store will have nothing to do with it. restic
// itself takes most such answers for a store's bad moments and tries again for a quarter of an
// hour.
type RefusedError struct {
	Said     string
	Removing bool // it was to remove something, which a store may refuse that takes all else
}

func (e *RefusedError) Error() string {
	if e.Removing {
		return "the store refuses to delete: " + e.Said
	}
	return "the store refuses: " + e.Said
}

// Is matches [ErrNoDelete].
func (e *RefusedError) Is(target error) bool { return e.Removing && target == ErrNoDelete }

// cause is why a run failed: our own reason if we interrupted it, else err.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
