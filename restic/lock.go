package restic

import (
	"context"
	"errors"
	"time"
)

// Unlock removes the locks of processes that are gone: those of this host whose process no longer runs, and any that
// has not been refreshed for 30 minutes. Locks of the living stay.
//
// Where it can be seen that there is no lock restic is not asked: to open a repository takes it a while.
func (c *Client) Unlock(ctx context.Context) error {
	if locks, ok := c.localFiles("locks"); ok && len(locks) == 0 {
		return nil
	}
	return c.unlock(ctx, nil)
}

func (c *Client) unlock(ctx context.Context, env []string) error {
	return c.run(ctx, command{op: "unlock", args: []string{"unlock"}, env: env})
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
		if err := c.unlock(ctx, command.env); err != nil {
			return err
		}
		wait := min(max(time.Until(deadline), 0), unlockEvery)
		command.args = append([]string{"--retry-lock=" + wait.String()}, args...)
		err = c.run(ctx, command)
	}
	return err
}
