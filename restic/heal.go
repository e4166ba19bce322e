package restic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// key is a key file of the repository.
type key struct {
	ID      string `json:"id"`
	Current bool   `json:"current"` // the one restic opened the repository with
	Created string `json:"created"` // in the local time of restic
}

type keyList []key

// keys lists the keys, opening the repository with the one whose id begins with hint if there is exactly one such.
func (c *Client) keys(ctx context.Context, hint string) (keyList, error) {
	var out bytes.Buffer
	err := c.run(ctx, command{
		op:     "open repository",
		args:   []string{"key", "list", "--json", "--no-lock", "--key-hint=" + hint},
		env:    []string{"TZ=UTC"},
		stdout: &out,
	})
	if err != nil {
		return nil, err
	}
	var keys keyList
	if err := json.Unmarshal(out.Bytes(), &keys); err != nil {
		return nil, fmt.Errorf("open repository: restic's answer: %w", err)
	}
	return keys, nil
}

// young reports whether a key is so new that its maker may have a rival. A clock that is ahead of ours counts as new.
func (l keyList) young() bool {
	for _, key := range l {
		created, err := time.Parse(time.DateTime, key.Created)
		if err == nil && time.Since(created).Abs() < settleTime {
			return true
		}
	}
	return false
}

func (l keyList) current() string {
	for _, key := range l {
		if key.Current {
			return key.ID
		}
	}
	return ""
}

var damaged = regexp.MustCompile(`config or key ([0-9a-f]{64}) is damaged`)

// damagedKey is the id of the key that the password opens and that does not fit the config, if that is what err says.
func damagedKey(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return ""
	}
	if match := damaged.FindStringSubmatch(e.Stderr); match != nil {
		return match[1]
	}
	return ""
}

// heal removes the keys that the password opens but that do not fit the config. Others may be doing the same.
func (c *Client) heal(ctx context.Context) error {
	keys, err := c.keys(ctx, "")
	if bad := damagedKey(err); bad != "" {
		keys, err = c.searchKey(ctx, bad)
	}
	if err != nil {
		return err
	}
	sound := keys.current()
	for _, key := range keys {
		if key.ID == sound {
			continue
		}
		_, err := c.keys(ctx, key.ID)
		switch damagedKey(err) {
		case key.ID:
			if err := c.removeKey(ctx, sound, key.ID); err != nil {
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

// searchKey finds the key that fits the config when bad, which does not, is in front of it. It returns the list of all.
// Without a fitting key restic does not list them, so it is given the beginnings of names: one that no key or more than
// one has leads back to bad. In a local folder the names can be seen. Elsewhere all beginnings of two digits are tried,
// and then longer ones that part from a key that was met: of two rivals the one leads to the other.
func (c *Client) searchKey(ctx context.Context, bad string) (keyList, error) {
	const digits = "0123456789abcdef"
	met := []string{bad}
	try := func(hint string) (keyList, bool, error) {
		keys, err := c.keys(ctx, hint)
		other := damagedKey(err)
		if other != "" && !slices.Contains(met, other) {
			met = append(met, other)
		}
		return keys, other == "", err
	}
	files, _ := c.localFiles("keys")
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
func (c *Client) removeKey(ctx context.Context, sound, bad string) error {
	if err := c.readable(ctx, sound); err != nil {
		return fmt.Errorf("key %s does not fit the config and stays: %w", bad, err)
	}
	// The lock in the way is a rival's who removes a key as well: it is waited for, whatever others would be.
	patient := *c
	patient.LockWait = max(c.LockWait, otherInit*time.Second)
	removeErr := patient.locked(ctx, command{
		op:   "key remove",
		args: []string{"key", "remove", bad},
		env:  []string{"RESTIC_KEY_HINT=" + sound}, // for the unlock that may have to come first as well
	})
	if removeErr == nil {
		return nil
	}
	keys, err := c.keys(ctx, sound) // another may have been faster
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

// readable makes sure that every snapshot can be read with the sound key. restic passes over those that cannot.
func (c *Client) readable(ctx context.Context, sound string) error {
	var files, snapshots bytes.Buffer
	list := command{op: "list snapshots", args: []string{"list", "snapshots", "--no-lock", "--key-hint=" + sound}, stdout: &files}
	read := command{op: "snapshots", args: []string{"snapshots", "--json", "--no-lock", "--key-hint=" + sound}, stdout: &snapshots}
	// In this order: a snapshot that comes in between is read and not listed.
	if err := c.run(ctx, list); err != nil {
		return err
	}
	if err := c.run(ctx, read); err != nil {
		return err
	}
	var have []Snapshot
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
