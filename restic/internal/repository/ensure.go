package repository

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// Two `restic init` at once both succeed, and break the repository. Each writes a key file with a
// master key of its own and then the config, encrypted with that master key, over the other's. The
// config that was written last fits one key; but restic tries the keys in the order of their names
// and stays with the first that the password opens. With the other key in front every command ends
// in "config or key … is damaged"; and whatever was backed up before the second config came can no
// longer be read. restic looks for a config and for keys before it begins, but then spends about
// two seconds finding out how much work its key derivation can cost: the race is easily met by two
// replicas that start together.
//
// So: in a local folder a lock keeps others of ours out while one makes the repository (flock.go).
// Elsewhere there is nothing to lock, no store that restic can use has a "create if absent" that
// restic would use, and the race is awaited and repaired instead: whoever makes a repository, or
// finds one that is only seconds old, first waits until every other that began before the config
// was there must have ended, and then removes the keys that do not fit (heal.go). Whatever order
// that happens in, all end with the same key and config, and none has stored anything yet.

// A State is what a repository is found in, see [Client.Look].
type State int

const (
	Sound     State = iota // somebody has made it long enough ago
	Unsettled              // it is just being made, or was broken when it was: Ensure awaits that, or repairs it
	Missing                // there is none: Ensure makes it
)

// Look says what Ensure would find, and changes nothing. A repository that cannot be reached,
// opened or read is an error.
func (k *Keeper) Look(ctx context.Context) (State, error) {
	keys, err := k.keys(ctx, "")
	switch {
	case errors.Is(err, process.ErrNoRepository):
		return Missing, nil
	case damagedKey(err) != "" || err == nil && keys.young():
		return Unsettled, nil
	}
	return Sound, err
}

// Ensure makes the repository if there is none, and reports whether it did. Only restic's own word
// that there is none (exit code 10) leads there: a repository that cannot be reached, opened or
// read is an error. Several may call it at once, on several machines; all succeed with one sound
// repository.
func (k *Keeper) Ensure(ctx context.Context) (created bool, err error) {
	if state, err := k.Look(ctx); err != nil || state == Sound {
		return false, err
	}

	// From here on this is a repository that is being made, or one that was broken when it was.
	lock, err := k.lockFolder(ctx)
	if err != nil {
		return false, fmt.Errorf("init: %w", err)
	}
	defer lock.unlock()
	began := time.Now()
	id, err := k.init(ctx, lock.held())
	if err != nil {
		return false, err
	}
	if !lock.held() {
		// Twice our own time: the others work under the same load as we do.
		if err := k.settle(ctx, 2*time.Since(began)); err != nil {
			return false, err
		}
	}
	if err := k.heal(ctx); err != nil {
		return false, err
	}
	if id == "" {
		return false, nil
	}
	final, err := k.configID(ctx)
	return final == id, err
}

// Settled reports whether it can be seen without restic that Ensure has nothing to do but what a
// backup finds out by itself: a local folder has a config and a single key, and nobody of ours is
// about to make a repository there. To open a repository, as Ensure does, takes restic a quarter of
// a second at least.
func (k *Keeper) Settled(ctx context.Context) bool {
	keys, ok := k.localFiles("keys")
	if !ok || len(keys) != 1 {
		return false
	}
	if time.Since(keys[0].ModTime()).Abs() < settleTime {
		lock, err := k.lockFolder(ctx)
		if err != nil || !lock.held() {
			return false
		}
		defer lock.unlock()
		if keys, ok = k.localFiles("keys"); !ok || len(keys) != 1 {
			return false
		}
	}
	path, err := k.localFolder()
	if err != nil {
		return false
	}
	for _, name := range []string{"config", filepath.Join("keys", keys[0].Name())} {
		file, err := os.Open(filepath.Join(path, name))
		if err != nil {
			return false
		}
		_ = file.Close()
	}
	return true
}
