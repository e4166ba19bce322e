package repository

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// LockHistory is what a process remembers of locks from one command to the next: those that it may
// have taken from the living, and those of its own that a store keeps. All that works on a
// repository in a process shares one, as one command has to wait for what another did. It may be
// that of several repositories. The zero value is a process that has just begun.
type LockHistory struct {
	unlocked sync.Map // when restic was last made to remove locks, by the repository's address
	kept     sync.Map // what the store said that did not let a lock be given back, by the beginning of the lock's ID

	refreshed time.Duration // for tests: in place of MissedRefresh
}

// unlock notes that restic has been made to remove locks.
func (h *LockHistory) unlock(address string) { h.unlocked.Store(address, time.Now()) }

// unsettled is how long it takes until whoever may have lost a living lock to our last `restic
// unlock` has made it anew.
func (h *LockHistory) unsettled(address string) time.Duration {
	if h == nil {
		return 0
	}
	wait := MissedRefresh
	if h.refreshed != 0 {
		wait = h.refreshed
	}
	last, ok := h.unlocked.Load(address)
	if !ok {
		return 0
	}
	return max(wait-time.Since(last.(time.Time)), 0)
}

// unlockFailed is what restic says of a lock that it wants to remove, with the beginning of its ID.
var unlockFailed = regexp.MustCompile(`Remove\(<lock/([0-9a-f]{8,})>\) (?:failed|returned error, retrying after [^:]*): (.*)`)

// hear is told what restic says on its standard error.
func (h *LockHistory) hear(line string) {
	if h == nil {
		return
	}
	if match := unlockFailed.FindStringSubmatch(line); match != nil && process.Refuses(match[2]) {
		h.kept.Store(match[1], match[2])
	}
}

// keptLock is what the store said of a lock that it has not let us give back, if one of locks is
// one and in the way of a restic command; else empty. Nobody refreshes such a lock, and to wait for
// its end would be to wait for ourselves.
func (h *LockHistory) keptLock(locks []Lock, command string) (said string) {
	if h == nil {
		return ""
	}
	wantsAll := slices.Contains([]string{"forget", "prune", "tag"}, command)
	h.kept.Range(func(id, why any) bool {
		if slices.ContainsFunc(locks, func(l Lock) bool { return strings.HasPrefix(l.ID, id.(string)) && (wantsAll || l.Exclusive) }) {
			said = why.(string)
		}
		return said == ""
	})
	return said
}
