package repository

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// Two `restic init` at once both succeed, and break the repository. Each writes a key file with a master key of its own
// and then the config, encrypted with that master key, over the other's. The config that was written last fits one
// key; but restic tries the keys in the order of their names and stays with the first that the password opens. With
// the other key in front every command ends in "config or key … is damaged"; and whatever was backed up before the
// second config came can no longer be read. restic looks for a config and for keys before it begins, but then spends
// about two seconds finding out how much work its key derivation can cost: the race is easily met by two replicas
// that start together.
//
// So: in a local folder a lock keeps others of ours out while one makes the repository (flock.go). Elsewhere there
// is nothing to lock, no store that restic can use has a "create if absent" that restic would use, and the race is
// awaited and repaired instead: whoever makes a repository, or finds one that is only seconds old, first waits until
// every other that began before the config was there must have ended, and then removes the keys that do not fit
// (heal.go). Whatever order that happens in, all end with the same key and config, and none has stored anything yet.

const (
	// settleTime is how old the newest key must be before the repository is used. `restic init` takes 1 to 3 s.
	settleTime = 10 * time.Second

	// initTries bounds how often init is tried, and how long another's is waited for, in seconds.
	initTries, otherInit = 3, 30
)

// A State is what a repository is found in, see [Client.Look].
type State int

const (
	Sound     State = iota // somebody has made it long enough ago
	Unsettled              // it is just being made, or was broken when it was: Ensure awaits that, or repairs it
	Missing                // there is none: Ensure makes it
)

// Look says what Ensure would find, and changes nothing. A repository that cannot be reached, opened or read is an error.
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

// Ensure makes the repository if there is none, and reports whether it did. Only restic's own word that there is none
// (exit code 10) leads there: a repository that cannot be reached, opened or read is an error. Several may call it at
// once, on several machines; all succeed with one sound repository.
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

// Settled reports whether it can be seen without restic that Ensure has nothing to do but what a backup finds out by
// itself: a local folder has a config and a single key, and nobody of ours is about to make a repository there. To open
// a repository, as Ensure does, takes restic a quarter of a second at least.
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

// init makes the repository unless there is one. It returns the id of the config it wrote: "" if it wrote none.
func (k *Keeper) init(ctx context.Context, locked bool) (id string, err error) {
	var initErr error
	for try, waited := 0, 0; ; {
		_, err := k.keys(ctx, "")
		switch {
		case err == nil || damagedKey(err) != "":
			return "", nil
		case !errors.Is(err, process.ErrNoRepository):
			return "", err
		case try == initTries || waited == otherInit:
			return "", initErr
		}

		var out bytes.Buffer
		initErr = k.run(ctx, process.Command{Op: "init", Args: []string{"init", "--json"}, Stdout: &out, Finish: true})
		if initErr == nil {
			var answer struct{ ID string }
			if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
				return "", fmt.Errorf("init: restic's answer: %w", err)
			}
			return answer.ID, nil
		}
		switch keysOnly := strings.Contains(initErr.Error(), "already contains keys"); {
		case keysOnly && locked:
			if err := k.removeLoneKeys(); err != nil {
				return "", err
			}
			try++
		case keysOnly: // another has written its key, and not yet its config
			waited++
		default: // another may have made the bucket or folder just now
			try++
		}
		if err := sleep(ctx, time.Second); err != nil {
			return "", fmt.Errorf("init: %w", err)
		}
	}
}

// settle waits until no other init that began before the config was there can still be at work: at least d, and until
// the newest key has its age.
func (k *Keeper) settle(ctx context.Context, d time.Duration) error {
	for {
		if err := sleep(ctx, d); err != nil {
			return fmt.Errorf("init: %w", err)
		}
		keys, err := k.keys(ctx, "")
		if damagedKey(err) != "" {
			return nil // there were two, and both have written their config
		}
		if err != nil || !keys.young() {
			return err
		}
		d = time.Second
	}
}

func (k *Keeper) configID(ctx context.Context) (string, error) {
	var out bytes.Buffer
	if err := k.run(ctx, process.Command{Op: "init", Args: []string{"cat", "config", "--no-lock"}, Stdout: &out}); err != nil {
		return "", err
	}
	var config struct{ ID string }
	if err := json.Unmarshal(out.Bytes(), &config); err != nil {
		return "", fmt.Errorf("init: restic's answer: %w", err)
	}
	return config.ID, nil
}
