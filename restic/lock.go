package restic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// restic calls a lock stale when it has not been refreshed for 30 minutes, or when it bears this host's name and its
// process id is not to be seen here. The latter is not so in containers: two of one host name (pods of a StatefulSet in
// two namespaces, hostNetwork, hostname: in compose) have process ids of their own, and the one's live lock looks dead to
// the other, whose prune then takes away what the one is just storing. Worse, restic sends SIGHUP to the process id of
// every young lock of this host's name, and here that is whoever happens to have it.
//
// So `restic unlock` is asked only when it is known what it would do; see clear.

// Lock is a lock of the repository, as restic keeps it. Every restic that works on the repository has one.
type Lock struct {
	ID        string    `json:"-"`
	Time      time.Time `json:"time"` // when it was made or last refreshed; by the clock of its maker
	Exclusive bool      `json:"exclusive"`
	Host      string    `json:"hostname"`
	User      string    `json:"username"`
	PID       int       `json:"pid"`

	unreadable bool // it is there, and nothing but its ID is known
}

// staleTime is the age at which a lock is dead by restic's own rule: a restic that could not refresh its lock for 22
// minutes ends by itself. refreshTime is how often a restic refreshes its lock (restic's internal/repository/lock.go).
const (
	staleTime   = 30 * time.Minute
	refreshTime = 5 * time.Minute
)

// missedRefresh is a time within which any living restic has refreshed its lock, and made it anew if somebody removed it.
const missedRefresh = refreshTime + time.Minute

func (l Lock) String() string {
	if l.unreadable {
		return fmt.Sprintf("lock %.8s, which cannot be read", l.ID)
	}
	kind := ""
	if l.Exclusive {
		kind = " alone"
	}
	return fmt.Sprintf("%+q on host %+q (process %d), which holds it%s and was last heard of at %s",
		l.User, l.Host, l.PID, kind, l.Time.UTC().Format(time.DateTime+" UTC"))
}

// A LockedError is why a command did not run: others hold the repository, and none of them is known to be dead. It is
// an [ErrLocked].
type LockedError struct {
	Op     string
	Locks  []Lock // empty where they went just when they were looked at
	Waited time.Duration
	Err    error // restic's own
}

// locksShown is how many locks a LockedError names.
const locksShown = 3

func (e *LockedError) Error() string {
	if len(e.Locks) == 0 {
		return e.Err.Error()
	}
	var who []string
	for _, lock := range e.Locks[:min(len(e.Locks), locksShown)] {
		who = append(who, lock.String())
	}
	if more := len(e.Locks) - len(who); more > 0 {
		who = append(who, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("%s: the repository is locked by %s; waited %s", e.Op, strings.Join(who, "; by "), e.Waited.Round(time.Second))
}

func (e *LockedError) Unwrap() error { return e.Err }

// lookEvery is how often locks are looked at again while one is waited for: its holder may have died.
const lookEvery = time.Minute

// locked runs a command that needs a lock. As long as another one is in the way, those that are provably dead are
// removed and the command is run again, until LockWait is over. restic takes its lock before it reads or changes
// anything.
//
// A command that only reads goes on without a lock once nobody who holds the repository alone has been heard of for
// longer than a living restic is silent: what it may meet, if that one lives after all, is data that has gone, which is
// an error, and it can harm nobody. So a restore does not wait for half an hour because a prune was killed.
func (c *Client) locked(ctx context.Context, command command) error {
	began := time.Now()
	deadline := began.Add(c.LockWait)
	run := func() error {
		if !command.reads {
			if err := sleep(ctx, c.unsettled()); err != nil {
				return fmt.Errorf("%s: %w", command.op, err)
			}
		}
		return c.run(ctx, command)
	}
	if command.hasty {
		if c.unsettled() > 0 {
			return &LockedError{Op: command.op, Err: ErrLocked}
		}
		return c.run(ctx, command)
	}
	err := run()
	args := command.args
	for tries := 0; errors.Is(err, ErrLocked); tries++ {
		locks, lookErr := c.locks(ctx, command.env)
		if lookErr != nil {
			return fmt.Errorf("%w (who holds it could not be found out: %w)", err, lookErr)
		}
		if why := keptLock(locks, args[0]); why != "" {
			return fmt.Errorf("%s: the locks of earlier commands stay: %w", command.op, &RefusedError{Said: why, removing: true})
		}
		held := &LockedError{Op: command.op, Locks: locks, Waited: time.Since(began), Err: err}
		if tries == 0 && c.Waiting != nil {
			c.Waiting(held)
		}
		// It ends: locks are removed only of those that died, and without one time runs out.
		removed, clearErr := c.clear(ctx, locks, command.env)
		switch {
		case command.reads && len(locks) > 0 && !slices.ContainsFunc(locks, func(l Lock) bool { return l.alone(time.Now()) }):
			command.args = append([]string{"--no-lock"}, args...)
			return run()
		case clearErr != nil:
			return fmt.Errorf("%w (%w)", held, clearErr)
		case removed, len(locks) == 0 && tries == 0:
		case !time.Now().Before(deadline):
			return held
		}
		wait := min(max(time.Until(deadline), 0), lookEvery)
		if c.Stall > 0 {
			wait = min(wait, c.Stall/2) // a restic that waits for a lock is still
		}
		command.args = append([]string{"--retry-lock=" + wait.String()}, args...)
		err = run()
	}
	return err
}

// keptLocks are the locks that the store has not let this process's restics give back: the beginnings of their IDs, and what
// it said. Nobody refreshes them, and to wait for their end would be to wait for ourselves.
var keptLocks sync.Map

// keptLock is what the store said of such a lock, if one of locks is one and in the way of a restic command; else empty.
func keptLock(locks []Lock, command string) (said string) {
	wantsAll := slices.Contains([]string{"forget", "prune", "tag"}, command)
	keptLocks.Range(func(id, why any) bool {
		if slices.ContainsFunc(locks, func(l Lock) bool { return strings.HasPrefix(l.ID, id.(string)) && (wantsAll || l.Exclusive) }) {
			said = why.(string)
		}
		return said == ""
	})
	return said
}

// alone reports whether the lock's holder may be at work on the repository by itself.
func (l Lock) alone(now time.Time) bool {
	return l.unreadable || l.Exclusive && now.Sub(l.Time) < missedRefresh
}

// AwaitLock returns once nothing keeps a backup out of the repository: no lock of somebody who holds it alone, and no
// rest after locks were removed. It waits for LockWait at most and removes dead locks, as every command does; what it
// is for is that nothing has to be held open meanwhile (see [BackupOptions.NoWait]). Somebody else may be faster again.
func (c *Client) AwaitLock(ctx context.Context) error {
	return c.locked(ctx, command{op: "wait for the repository's lock", args: []string{"cat", "config"}})
}
