package restic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// RemoveDeadLocks removes the locks that are provably dead, those that nobody has refreshed for 30 minutes, and waits for
// none. Dead locks hinder no backup, only whatever wants the repository for itself.
func (c *Client) RemoveDeadLocks(ctx context.Context) error {
	locks, err := c.locks(ctx, nil)
	if err != nil {
		return err
	}
	_, err = c.clear(ctx, locks, nil)
	return err
}

// locks lists the repository's locks. Where it can be seen that there is none restic is not asked: to open a repository
// takes it a while.
func (c *Client) locks(ctx context.Context, env []string) ([]Lock, error) {
	ids, err := c.lockIDs(ctx, env)
	if err != nil {
		return nil, err
	}
	locks := make([]Lock, len(ids))
	unread := make([]error, len(ids))
	var all errgroup.Group
	all.SetLimit(4) // each restic derives the key anew, which keeps a processor busy
	for i, id := range ids {
		all.Go(func() error {
			locks[i], unread[i] = c.readLock(ctx, id, env)
			return nil
		})
	}
	_ = all.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if !slices.ContainsFunc(unread, func(err error) bool { return err != nil }) {
		return locks, nil
	}
	// Those that are not there any more were given back in the meantime.
	still, err := c.lockIDs(ctx, env)
	if err != nil {
		return nil, err
	}
	var found []Lock
	for i, lock := range locks {
		switch {
		case unread[i] == nil:
			found = append(found, lock)
		case slices.Contains(still, ids[i]):
			found = append(found, Lock{ID: ids[i], unreadable: true})
		}
	}
	return found, nil
}

func (c *Client) lockIDs(ctx context.Context, env []string) ([]string, error) {
	var ids []string
	if files, ok := c.localFiles("locks"); ok {
		for _, file := range files {
			ids = append(ids, file.Name())
		}
		return ids, nil
	}
	var out bytes.Buffer
	if err := c.run(ctx, command{op: "list locks", args: []string{"list", "locks", "--no-lock"}, env: env, stdout: &out}); err != nil {
		return nil, err
	}
	for word := range strings.FieldsSeq(out.String()) {
		if fileName.MatchString(word) {
			ids = append(ids, word)
		}
	}
	return ids, nil
}

func (c *Client) readLock(ctx context.Context, id string, env []string) (Lock, error) {
	var out bytes.Buffer
	lock := Lock{ID: id}
	if err := c.run(ctx, command{op: "read lock", args: []string{"cat", "lock", id, "--no-lock"}, env: env, stdout: &out}); err != nil {
		return lock, err
	}
	if err := json.Unmarshal(out.Bytes(), &lock); err != nil {
		return lock, fmt.Errorf("read lock: restic's answer: %w", err)
	}
	return lock, nil
}

// clear removes the dead among locks, and reports whether it has removed any. In a local folder that is done file by
// file. Elsewhere `restic unlock` does it, provided that every lock that it would take is dead, and that it would send a
// signal to nobody; otherwise nothing is done.
//
// Between our look and restic's a new lock can appear that restic takes for dead. Its owner makes it anew within 5
// minutes, so a command of this process that may write to the repository, or remove from it, waits for so long; see
// unsettled.
func (c *Client) clear(ctx context.Context, locks []Lock, env []string) (removed bool, err error) {
	now := time.Now()
	host, hostErr := os.Hostname()
	var dead []Lock
	safe := true
	for _, lock := range locks {
		switch {
		case lock.dead(now):
			dead = append(dead, lock)
		case lock.unreadable || hostErr != nil || lock.Host == host: // restic may be able to read it
			safe = false
		}
	}
	if len(dead) == 0 {
		return false, nil
	}
	if path, err := c.localFolder(); err == nil && path != "" {
		for _, lock := range dead {
			if err := os.Remove(filepath.Join(path, "locks", lock.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return false, fmt.Errorf("remove a dead lock: %w", err)
			}
		}
		return true, nil
	}
	if !safe {
		return false, nil
	}
	err = c.run(ctx, command{op: "unlock", args: []string{"unlock"}, env: env})
	unlocked.Store(c.address(), time.Now()) // an error may come after some were removed
	return err == nil, err
}

// dead reports whether a lock is provably dead. That this process has seen its restic end proves nothing: another
// container's restic may have the same process id, and while it cannot reach the repository it does not refresh its
// lock for up to 22 minutes.
func (l Lock) dead(now time.Time) bool { return !l.unreadable && now.Sub(l.Time) > staleTime }

// unlocked is when this process last had restic remove locks, by the repository's address. It is the process's and not
// a Client's, as several may work on one repository.
var unlocked sync.Map

// unsettled is how long it takes until whoever may have lost a living lock to our last `restic unlock` has made it anew.
func (c *Client) unsettled() time.Duration {
	wait := missedRefresh
	if c.refreshed != 0 {
		wait = c.refreshed
	}
	last, ok := unlocked.Load(c.address())
	if !ok {
		return 0
	}
	return max(wait-time.Since(last.(time.Time)), 0)
}
