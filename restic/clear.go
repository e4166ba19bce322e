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
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// RemoveDeadLocks removes the locks that are provably dead, and waits for none: those that nobody has refreshed for 30
// minutes, and those of restics that this process has started and seen the end of. Dead locks hinder no backup, only
// whatever wants the repository for itself.
func (c *Client) RemoveDeadLocks(ctx context.Context) error {
	locks, err := c.locks(ctx, nil)
	if err != nil {
		return err
	}
	_, err = c.clear(ctx, locks, command{op: "unlock", reads: true})
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
// minutes, so a command that may write to the repository, or remove from it, waits for so long first.
func (c *Client) clear(ctx context.Context, locks []Lock, next command) (removed bool, err error) {
	now := time.Now()
	host, hostErr := os.Hostname()
	var dead []Lock
	safe := true
	for _, lock := range locks {
		switch {
		case c.dead(lock, host, now):
			dead = append(dead, lock)
		case lock.unreadable: // restic passes over it
		case hostErr != nil || lock.Host == host:
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
	for _, lock := range dead {
		// restic takes a dead one that is not yet 30 minutes old only if its process is not to be seen.
		if now.Sub(lock.Time) <= staleTime && alive(lock.PID) {
			safe = false
		}
	}
	if !safe {
		return false, nil
	}
	if err := c.run(ctx, command{op: "unlock", args: []string{"unlock"}, env: next.env}); err != nil {
		return false, err
	}
	if next.reads {
		return true, nil
	}
	return true, sleep(ctx, c.missedRefresh())
}

// dead reports whether a lock is provably dead: by restic's own rule, or because this process has started its restic
// and seen the end of it. That alone does not prove it, as another container's restic may have had the same process id
// at the same time; but that one would have refreshed its lock since.
func (c *Client) dead(lock Lock, host string, now time.Time) bool {
	switch {
	case lock.unreadable:
		return false
	case now.Sub(lock.Time) > staleTime:
		return true
	}
	return lock.Host == host && ended.had(lock, now.Add(-c.missedRefresh()))
}

func (c *Client) missedRefresh() time.Duration {
	if c.refreshed == 0 {
		return missedRefresh
	}
	return c.refreshed
}

// alive reports whether there is such a process here, as far as restic would find out by a signal.
func alive(pid int) bool { return pid <= 0 || syscall.Kill(pid, 0) == nil }

// ended are the restics of this process that have ended. It belongs to the process, as process ids do, and not to a
// Client.
var ended endedChildren

type endedChildren struct {
	mu   sync.Mutex
	list []child
}

// child is a restic that has ended. The times are of the wall clock, as those of locks.
type child struct {
	pid      int
	from, to time.Time
}

// add notes the end of a child, and lets go of those whose locks are dead by their age.
func (c *endedChildren) add(pid int, from time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now().Round(0)
	c.list = slices.DeleteFunc(c.list, func(old child) bool { return now.Sub(old.to) > 2*staleTime })
	c.list = append(c.list, child{pid, from.Round(0), now})
}

// had reports whether a lock is of a child that ended before a moment.
func (c *endedChildren) had(lock Lock, before time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.list, func(old child) bool {
		return old.pid == lock.PID && old.to.Before(before) && !lock.Time.Before(old.from) && !lock.Time.After(old.to)
	})
}
