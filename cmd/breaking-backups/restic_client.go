package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/restic"
)

// checkedRestic is the repository's restic, once it is known to be new enough, and to take what its
// variables say.
func (e environment) checkedRestic(ctx context.Context, of store, tell *audience.Teller) (*restic.Client, error) {
	client := &restic.Client{
		Binary: of.restic, Env: of.environ, LockWait: of.lockWait, LockHistory: e.locks, Stall: of.stall,
		Still: func(op string, since time.Duration) {
			tell.Warn("restic neither reads nor writes: does the store answer?", "restic", op, "since", since.Round(time.Second))
		},
		Said: sayings(tell),
	}
	client.Waiting = func(held *restic.LockedError) {
		tell.Emit(event.Awaited{})
		tell.Note("the repository is locked: a dead lock is removed, another is waited for; if its restic is known to have ended, `restic unlock` saves the wait",
			"most", client.LockWait, "lock", held)
	}
	if err := client.CheckVersion(ctx); err != nil && ctx.Err() == nil {
		return nil, &exit.ConfigError{Mistakes: []error{fmt.Errorf("RESTIC_BINARY: %w", err)}}
	}
	bound, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	if err := client.CheckSettings(bound); err != nil && ctx.Err() == nil {
		return nil, &exit.ConfigError{Mistakes: []error{err}}
	}
	return client, ctx.Err()
}

// sayings passes restic's own warnings on to who listens: of what it tries again, of files that it
// cannot read. Where one follows the other they are not all told.
func sayings(tell *audience.Teller) func(string) {
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
			tell.Warn("restic: " + line)
		case told == most+1:
			tell.Warn("restic says more than is told in a minute")
		}
	}
}
