package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/stream"
)

// What keeps a run waiting is told after half a minute and then every minute. What the store, or the reader of a dump,
// keeps waiting for STALL_TIMEOUT_SECONDS is ended, as a database's snapshot and locks are held meanwhile. A database may
// take its time: it may be sorting a table, or building an index, and a dead one is found out by the connection.

// checkedRestic is the repository's restic, once it is known to be new enough, and to take what its variables say.
func checkedRestic(ctx context.Context, of store, tell *teller) (*restic.Client, error) {
	client := &restic.Client{
		Binary: of.restic, Env: of.environ, LockWait: of.lockWait, Stall: of.stall,
		Still: func(op string, since time.Duration) {
			tell.warn("restic neither reads nor writes: does the store answer?", "restic", op, "since", since.Round(time.Second))
		},
		Said: sayings(tell),
	}
	client.Waiting = func(held *restic.LockedError) {
		tell.note("the repository is locked: a dead lock is removed, another is waited for; if its restic is known to have ended, `restic unlock` saves the wait",
			"most", client.LockWait, "lock", held)
	}
	if err := client.CheckVersion(ctx); err != nil && ctx.Err() == nil {
		return nil, &configError{[]string{"RESTIC_BINARY: " + err.Error()}}
	}
	bound, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	if err := client.CheckSettings(bound); err != nil && ctx.Err() == nil {
		return nil, &configError{[]string{err.Error()}}
	}
	return client, ctx.Err()
}

// sayings passes restic's own warnings on to who listens: of what it tries again, of files that it cannot read. Where one
// follows the other they are not all told.
func sayings(tell *teller) func(string) {
	const most, of = 20, time.Minute
	var mu sync.Mutex
	var began time.Time
	told, last := 0, map[string]time.Time{}
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if now.Sub(last[line]) < time.Hour { // as every restic of a run says what is wrong with its cache
			return
		}
		if len(last) > 1000 {
			clear(last)
		}
		last[line] = now
		if now.Sub(began) > of {
			began, told = now, 0
		}
		switch told++; {
		case told <= most:
			tell.warn("restic: " + line)
		case told == most+1:
			tell.warn("restic says more than is told in a minute")
		}
	}
}

// pipe is how a dump passes from the database, which is not to be held for long, to restic.
func (b *backup) pipe() stream.PipeOptions {
	var spilling atomic.Bool
	options := stream.PipeOptions{
		Stall: b.stall,
		// Of restic its client tells: it takes the stream in gulps, and between them stores what it has.
		Still: func(side stream.Side, since time.Duration) {
			if side == stream.Producer && !spilling.Load() {
				b.tell.note("waiting for the database", "since", since.Round(time.Second))
			}
		},
	}
	if b.job.backup.Mode == "auto" {
		options.Spill = &stream.SpoolOptions{Dir: b.job.backup.WorkDir}
		options.Spilling = func() {
			spilling.Store(true)
			b.tell.warn("the store does not take the dump: what is left of it is spooled, so that the database can be let go",
				"after", b.stall, "folder", b.job.backup.WorkDir)
		}
	}
	return options
}

// timeoutError is why something was ended that had a bound.
type timeoutError struct {
	variable string
	after    time.Duration
}

func (e *timeoutError) Error() string {
	return fmt.Sprintf("not done within %s (%s)", e.after, e.variable)
}

// bounded is a context that ends after the time of a variable; 0 is any time.
func bounded(ctx context.Context, variable string, limit seconds) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return ctx, func() {}
	}
	after := time.Duration(limit)
	return context.WithTimeoutCause(ctx, after, &timeoutError{variable, after})
}

// blame puts in front of an error that the time of a variable was over, if that is why it came about.
func blame(ctx context.Context, err error) error {
	var over *timeoutError
	if err == nil || !errors.As(context.Cause(ctx), &over) || errors.As(err, new(*timeoutError)) {
		return err
	}
	return fmt.Errorf("%w: %w", over, err)
}
