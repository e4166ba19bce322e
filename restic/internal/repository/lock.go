package repository

import (
	"fmt"
	"strings"
	"time"
)

// restic calls a lock stale when it has not been refreshed for 30 minutes, or when it bears this
// host's name and its process id is not to be seen here. The latter is not so in containers: two of
// one host name (pods of a StatefulSet in two namespaces, hostNetwork, hostname: in compose) have
// process ids of their own, and the one's live lock looks dead to the other, whose prune then takes
// away what the one is just storing. Worse, restic sends SIGHUP to the process id of every young
// lock of this host's name, and here that is whoever happens to have it.
//
// So `restic unlock` is asked only when it is known what it would do; see clear.

// Lock is a lock of the repository, as restic keeps it. Every restic that works on the repository
// has one.
type Lock struct {
	ID        string    `json:"-"`
	Time      time.Time `json:"time"` // when it was made or last refreshed; by the clock of its maker
	Exclusive bool      `json:"exclusive"`
	Host      string    `json:"hostname"`
	User      string    `json:"username"`
	PID       int       `json:"pid"`

	unreadable bool // it is there, and nothing but its ID is known
}

// staleTime is the age at which a lock is dead by restic's own rule: a restic that could not
// refresh its lock for 22 minutes ends by itself. refreshTime is how often a restic refreshes its
// lock (restic's internal/repository/lock.go).
const (
	staleTime   = 30 * time.Minute
	refreshTime = 5 * time.Minute
)

// MissedRefresh is a time within which any living restic has refreshed its lock, and made it anew
// if somebody removed it.
const MissedRefresh = refreshTime + time.Minute

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

// alone reports whether the lock's holder may be at work on the repository by itself.
func (l Lock) alone(now time.Time) bool {
	return l.unreadable || l.Exclusive && now.Sub(l.Time) < MissedRefresh
}

// dead reports whether a lock is provably dead. That this process has seen its restic end proves
// nothing: another container's restic may have the same process id, and while it cannot reach the
// repository it does not refresh its lock for up to 22 minutes.
func (l Lock) dead(now time.Time) bool { return !l.unreadable && now.Sub(l.Time) > staleTime }

// A LockedError is why a command did not run: others hold the repository, and none of them is known
// to be dead. It is a [process.ErrLocked].
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
