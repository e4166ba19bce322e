package restic

import (
	"context"

	"github.com/breaking-backups/breaking-backups/restic/internal/repository"
)

// The states that a repository can be in.
const (
	Sound     = repository.Sound     // somebody has made it long enough ago
	Unsettled = repository.Unsettled // it is just being made, or was broken when it was: Ensure awaits that, or repairs it
	Missing   = repository.Missing   // there is none: Ensure makes it
)

// Look says what Ensure would find, and changes nothing. A repository that cannot be reached,
// opened or read is an error.
func (c *Client) Look(ctx context.Context) (repository.State, error) { return c.keeper().Look(ctx) }

// Ensure makes the repository if there is none, and reports whether it did. Only restic's own word
// that there is none (exit code 10) leads there: a repository that cannot be reached, opened or
// read is an error. Several may call it at once, on several machines; all succeed with one sound
// repository.
func (c *Client) Ensure(ctx context.Context) (created bool, err error) { return c.keeper().Ensure(ctx) }

// Settled reports whether it can be seen without restic that Ensure has nothing to do but what a
// backup finds out by itself. To open a repository, as Ensure does, takes restic a quarter of a
// second at least.
func (c *Client) Settled(ctx context.Context) bool { return c.keeper().Settled(ctx) }

// RemoveDeadLocks removes the locks that are provably dead, those that nobody has refreshed for 30
// minutes, and waits for none. Dead locks hinder no backup, only whatever wants the repository for
// itself.
func (c *Client) RemoveDeadLocks(ctx context.Context) error { return c.keeper().RemoveDeadLocks(ctx) }

// AwaitLock returns once nothing keeps a backup out of the repository: no lock of somebody who
// holds it alone, and no rest after locks were removed. It waits for LockWait at most and removes
// dead locks, as every command does; what it is for is that nothing has to be held open meanwhile
// (see [BackupOptions.NoWait]). Somebody else may be faster again.
func (c *Client) AwaitLock(ctx context.Context) error { return c.keeper().AwaitLock(ctx) }

// Text is a file's text in UTF-8, as restic reads its own files, RESTIC_REPOSITORY_FILE and
// RESTIC_PASSWORD_FILE.
func Text(text []byte) string { return repository.Text(text) }
