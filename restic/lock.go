package restic

import (
	"context"
	"errors"
	"time"
)

// Unlock removes the locks of processes that are gone: those of this host whose process no longer runs, and any that
// has not been refreshed for 30 minutes. Locks of the living stay.
func (c *Client) Unlock(ctx context.Context) error {
	return c.run(ctx, command{op: "unlock", args: []string{"unlock"}})
}

// unlockEvery is how often locks are looked at again while one is waited for: the process that holds it may die.
const unlockEvery = time.Minute

// locked runs a command that needs a lock. As long as another one is in the way, stale locks are removed and the
// command is run again, once at least and until LockWait is over. restic takes its lock before it reads or changes
// anything.
func (c *Client) locked(ctx context.Context, command command) error {
	deadline := time.Now().Add(c.LockWait)
	err := c.run(ctx, command)
	args := command.args
	for first := true; errors.Is(err, ErrLocked) && (first || time.Now().Before(deadline)); first = false {
		if first && c.Waiting != nil {
			c.Waiting(err)
		}
		if err := c.Unlock(ctx); err != nil {
			return err
		}
		wait := min(max(time.Until(deadline), 0), unlockEvery)
		command.args = append([]string{"--retry-lock=" + wait.String()}, args...)
		err = c.run(ctx, command)
	}
	return err
}
