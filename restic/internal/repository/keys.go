package repository

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// key is a key file of the repository.
type key struct {
	ID      string `json:"id"`
	Current bool   `json:"current"` // the one restic opened the repository with
	Created string `json:"created"` // in the local time of restic
}

type keyList []key

// keys lists the keys, opening the repository with the one whose id begins with hint if there is
// exactly one such.
func (k *Keeper) keys(ctx context.Context, hint string) (keyList, error) {
	var out bytes.Buffer
	err := k.run(ctx, process.Command{
		Op:     "open repository",
		Args:   []string{"key", "list", "--json", "--no-lock", "--key-hint=" + hint},
		Env:    []string{"TZ=UTC"},
		Stdout: &out,
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

// settleTime is how old the newest key must be before the repository is used. `restic init` takes 1
// to 3 s.
const settleTime = 10 * time.Second

// young reports whether a key is so new that its maker may have a rival. A clock that is ahead of
// ours counts as new.
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

// damagedKey is the id of the key that the password opens and that does not fit the config, if that
// is what err says.
func damagedKey(err error) string {
	var e *process.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.DamagedKey()
}
