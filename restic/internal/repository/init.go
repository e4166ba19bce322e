package repository

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// initTries bounds how often init is tried, and how long another's is waited for, in seconds.
const initTries, otherInit = 3, 30

// init makes the repository unless there is one. It returns the id of the config it wrote: "" if it
// wrote none.
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

// settle waits until no other init that began before the config was there can still be at work: at
// least d, and until the newest key has its age.
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
