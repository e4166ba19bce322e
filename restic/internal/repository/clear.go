package repository

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
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// RemoveDeadLocks removes the locks that are provably dead, those that nobody has refreshed for 30
// minutes, and waits for none. Dead locks hinder no backup, only whatever wants the repository for
// itself.
func (k *Keeper) RemoveDeadLocks(ctx context.Context) error {
	locks, err := k.locks(ctx, nil)
	if err != nil {
		return err
	}
	_, err = k.clear(ctx, locks, nil)
	return err
}

// locks lists the repository's locks. Where it can be seen that there is none restic is not asked:
// to open a repository takes it a while.
func (k *Keeper) locks(ctx context.Context, env []string) ([]Lock, error) {
	ids, err := k.lockIDs(ctx, env)
	if err != nil {
		return nil, err
	}
	locks := make([]Lock, len(ids))
	unread := make([]error, len(ids))
	var all errgroup.Group
	all.SetLimit(4) // each restic derives the key anew, which keeps a processor busy
	for i, id := range ids {
		all.Go(func() error {
			locks[i], unread[i] = k.readLock(ctx, id, env)
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
	still, err := k.lockIDs(ctx, env)
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

func (k *Keeper) lockIDs(ctx context.Context, env []string) ([]string, error) {
	var ids []string
	if files, ok := k.localFiles("locks"); ok {
		for _, file := range files {
			ids = append(ids, file.Name())
		}
		return ids, nil
	}
	var out bytes.Buffer
	if err := k.run(ctx, process.Command{Op: "list locks", Args: []string{"list", "locks", "--no-lock"}, Env: env, Stdout: &out}); err != nil {
		return nil, err
	}
	for word := range strings.FieldsSeq(out.String()) {
		if fileName.MatchString(word) {
			ids = append(ids, word)
		}
	}
	return ids, nil
}

func (k *Keeper) readLock(ctx context.Context, id string, env []string) (Lock, error) {
	var out bytes.Buffer
	lock := Lock{ID: id}
	if err := k.run(ctx, process.Command{Op: "read lock", Args: []string{"cat", "lock", id, "--no-lock"}, Env: env, Stdout: &out}); err != nil {
		return lock, err
	}
	if err := json.Unmarshal(out.Bytes(), &lock); err != nil {
		return lock, fmt.Errorf("read lock: restic's answer: %w", err)
	}
	return lock, nil
}

// clear removes the dead among locks, and reports whether it has removed any. In a local folder
// that is done file by file. Elsewhere `restic unlock` does it, provided that every lock that it
// would take is dead, and that it would send a signal to nobody; otherwise nothing is done.
//
// Between our look and restic's a new lock can appear that restic takes for dead. Its owner makes
// it anew within 5 minutes, so a command of this process that may write to the repository, or
// remove from it, waits for so long; see LockHistory.
func (k *Keeper) clear(ctx context.Context, locks []Lock, env []string) (removed bool, err error) {
	now := time.Now()
	host, hostErr := os.Hostname()
	var dead []Lock
	safe := true
	for _, lock := range locks {
		switch {
		case lock.dead(now):
			dead = append(dead, lock)
		case lock.unreadable || hostErr != nil || lock.Host == host: // restic may be able to read it
			safe = false
		}
	}
	if len(dead) == 0 {
		return false, nil
	}
	if path, err := k.localFolder(); err == nil && path != "" {
		for _, lock := range dead {
			if err := os.Remove(filepath.Join(path, "locks", lock.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return false, fmt.Errorf("remove a dead lock: %w", err)
			}
		}
		return true, nil
	}
	if !safe || k.History == nil {
		return false, nil
	}
	err = k.run(ctx, process.Command{Op: "unlock", Args: []string{"unlock"}, Env: env})
	k.History.unlock(k.address()) // an error may come after some were removed
	return err == nil, err
}
