package repository

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// Run has restic do what needs a lock. As long as another one is in the way, those that are
// provably dead are removed and the command is run again, until LockWait is over. restic takes its
// lock before it reads or changes anything.
func (k *Keeper) Run(ctx context.Context, command process.Command) error {
	return k.locked(ctx, command, false)
}

// Read is [Keeper.Run] of a command that changes nothing but locks, and shares the repository with
// all but those who hold it alone.
//
// It goes on without a lock once nobody who holds the repository alone has been heard of for longer
// than a living restic is silent: what it may meet, if that one lives after all, is data that has
// gone, which is an error, and it can harm nobody. So a restore does not wait for half an hour
// because a prune was killed.
func (k *Keeper) Read(ctx context.Context, command process.Command) error {
	return k.locked(ctx, command, true)
}

// Try is [Keeper.Run] that neither waits for a lock in the way nor removes it.
func (k *Keeper) Try(ctx context.Context, command process.Command) error {
	if k.unsettled() > 0 {
		return &LockedError{Op: command.Op, Err: process.ErrLocked}
	}
	return k.run(ctx, command)
}

// AwaitLock returns once nothing keeps a backup out of the repository: no lock of somebody who
// holds it alone, and no rest after locks were removed. It waits for LockWait at most and removes
// dead locks, as every command does.
func (k *Keeper) AwaitLock(ctx context.Context) error {
	return k.Run(ctx, process.Command{Op: "wait for the repository's lock", Args: []string{"cat", "config"}})
}

// lookEvery is how often locks are looked at again while one is waited for: its holder may have
// died.
const lookEvery = time.Minute

func (k *Keeper) locked(ctx context.Context, command process.Command, reads bool) error {
	began := time.Now()
	deadline := began.Add(k.LockWait)
	run := func() error {
		if !reads {
			if err := sleep(ctx, k.unsettled()); err != nil {
				return fmt.Errorf("%s: %w", command.Op, err)
			}
		}
		return k.run(ctx, command)
	}
	err := run()
	args := command.Args
	for tries := 0; errors.Is(err, process.ErrLocked); tries++ {
		locks, lookErr := k.locks(ctx, command.Env)
		if lookErr != nil {
			return fmt.Errorf("%w (who holds it could not be found out: %w)", err, lookErr)
		}
		if why := k.History.keptLock(locks, args[0]); why != "" {
			return fmt.Errorf("%s: the locks of earlier commands stay: %w", command.Op, &process.RefusedError{Said: why, Removing: true})
		}
		held := &LockedError{Op: command.Op, Locks: locks, Waited: time.Since(began), Err: err}
		if tries == 0 && k.Waiting != nil {
			k.Waiting(held)
		}
		// It ends: locks are removed only of those that died, and without one time runs out.
		removed, clearErr := k.clear(ctx, locks, command.Env)
		switch {
		case reads && len(locks) > 0 && !slices.ContainsFunc(locks, func(l Lock) bool { return l.alone(time.Now()) }):
			command.Args = append([]string{"--no-lock"}, args...)
			return run()
		case clearErr != nil:
			return fmt.Errorf("%w (%w)", held, clearErr)
		case removed, len(locks) == 0 && tries == 0:
		case !time.Now().Before(deadline):
			return held
		}
		wait := min(max(time.Until(deadline), 0), lookEvery)
		if k.Program.Stall > 0 {
			wait = min(wait, k.Program.Stall/2) // a restic that waits for a lock is still
		}
		command.Args = append([]string{"--retry-lock=" + wait.String()}, args...)
		err = run()
	}
	return err
}

// unsettled is how long a command that may change the repository must wait for the sake of others.
func (k *Keeper) unsettled() time.Duration { return k.History.unsettled(k.address()) }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
