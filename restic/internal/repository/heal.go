package repository

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// heal removes the keys that the password opens but that do not fit the config. Others may be doing
// the same.
func (k *Keeper) heal(ctx context.Context) error {
	keys, err := k.keys(ctx, "")
	if bad := damagedKey(err); bad != "" {
		keys, err = k.searchKey(ctx, bad)
	}
	if err != nil {
		return err
	}
	sound := keys.current()
	for _, key := range keys {
		if key.ID == sound {
			continue
		}
		_, err := k.keys(ctx, key.ID)
		switch damagedKey(err) {
		case key.ID:
			if err := k.removeKey(ctx, sound, key.ID); err != nil {
				return err
			}
		case "":
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// searchKey finds the key that fits the config when bad, which does not, is in front of it. It
// returns the list of all. Without a fitting key restic does not list them, so it is given the
// beginnings of names: one that no key or more than one has leads back to bad. In a local folder
// the names can be seen. Elsewhere all beginnings of two digits are tried, and then longer ones
// that part from a key that was met: of two rivals the one leads to the other.
func (k *Keeper) searchKey(ctx context.Context, bad string) (keyList, error) {
	const digits = "0123456789abcdef"
	met := []string{bad}
	try := func(hint string) (keyList, bool, error) {
		keys, err := k.keys(ctx, hint)
		other := damagedKey(err)
		if other != "" && !slices.Contains(met, other) {
			met = append(met, other)
		}
		return keys, other == "", err
	}
	files, _ := k.localFiles("keys")
	hints := make([]string, 0, len(files)+16+256)
	for _, file := range files {
		hints = append(hints, file.Name())
	}
	hints = append(hints, strings.Split(digits, "")...)
	for _, first := range digits {
		for _, second := range digits {
			hints = append(hints, string(first)+string(second))
		}
	}
	for _, hint := range hints {
		if keys, found, err := try(hint); found {
			return keys, err
		}
	}
	for length := 2; length < 8; length++ {
		for _, key := range slices.Clone(met) {
			for _, digit := range digits {
				if keys, found, err := try(key[:length] + string(digit)); found {
					return keys, err
				}
			}
		}
	}
	return nil, fmt.Errorf("open repository: no key fits the config (key %s does not)", bad)
}

// removeKey removes the bad key, unless snapshots may need it.
func (k *Keeper) removeKey(ctx context.Context, sound, bad string) error {
	if err := k.readable(ctx, sound); err != nil {
		return fmt.Errorf("key %s does not fit the config and stays: %w", bad, err)
	}
	// The lock in the way is a rival's who removes a key as well: it is waited for, whatever others
	// would be.
	patient := *k
	patient.LockWait = max(k.LockWait, otherInit*time.Second)
	removeErr := patient.Run(ctx, process.Command{
		Op:   "key remove",
		Args: []string{"key", "remove", bad},
		Env:  []string{"RESTIC_KEY_HINT=" + sound}, // for the unlock that may have to come first as well
	})
	if removeErr == nil {
		return nil
	}
	keys, err := k.keys(ctx, sound) // another may have been faster
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key.ID == bad {
			return removeErr
		}
	}
	return nil
}

// readable makes sure that every snapshot can be read with the sound key. restic passes over those
// that cannot.
func (k *Keeper) readable(ctx context.Context, sound string) error {
	var files, snapshots bytes.Buffer
	list := process.Command{Op: "list snapshots", Args: []string{"list", "snapshots", "--no-lock", "--key-hint=" + sound}, Stdout: &files}
	read := process.Command{Op: "snapshots", Args: []string{"snapshots", "--json", "--no-lock", "--key-hint=" + sound}, Stdout: &snapshots}
	// In this order: a snapshot that comes in between is read and not listed.
	if err := k.run(ctx, list); err != nil {
		return err
	}
	if err := k.run(ctx, read); err != nil {
		return err
	}
	var have []struct{ ID string }
	if err := json.Unmarshal(snapshots.Bytes(), &have); err != nil {
		return fmt.Errorf("snapshots: restic's answer: %w", err)
	}
	readable := map[string]bool{}
	for _, snapshot := range have {
		readable[snapshot.ID] = true
	}
	for _, id := range strings.Fields(files.String()) {
		if !readable[id] {
			return fmt.Errorf("snapshot %s was made with another key", id)
		}
	}
	return nil
}
