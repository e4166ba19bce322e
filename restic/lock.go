package restic

import (
	"context"
	"errors"
)

// Unlock removes the locks of processes that are gone: those of this host whose process no longer runs, and any that
// has not been refreshed for 30 minutes. Locks of the living stay.
func (c *Client) Unlock(ctx context.Context) error {
	return c.run(ctx, command{op: "unlock", args: []string{"unlock"}})
}

// locked runs a command that needs a lock. If another one is in the way, stale locks are removed and the command is
// run once more, waiting for live ones up to LockWait. restic takes its lock before it reads or changes anything.
func (c *Client) locked(ctx context.Context, command command) error {
	err := c.run(ctx, command)
	if !errors.Is(err, ErrLocked) {
		return err
	}
	if err := c.Unlock(ctx); err != nil {
		return err
	}
	command.args = append([]string{"--retry-lock=" + c.LockWait.String()}, command.args...)
	return c.run(ctx, command)
}
