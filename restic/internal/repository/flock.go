package repository

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// folderLock is the right to make a repository in a local folder. It is a flock on the folder
// itself: no file of ours comes to lie in it, and the kernel gives it back when we die.
type folderLock struct{ folder *os.File }

// lockFolder takes the lock, waiting for another that has it, and makes the folder if need be. The
// lock it returns is not held if the repository is not in a local folder, or on a file system that
// cannot lock.
func (k *Keeper) lockFolder(ctx context.Context) (folderLock, error) {
	path, err := k.localFolder()
	if err != nil || path == "" {
		return folderLock{}, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return folderLock{}, err
	}
	folder, err := os.Open(path)
	if err != nil {
		return folderLock{}, err
	}
	for {
		err := tryLock(folder)
		if err == nil {
			return folderLock{folder}, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = folder.Close() // NFS wants a file open for writing, which a folder cannot be
			return folderLock{}, nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			_ = folder.Close()
			return folderLock{}, err
		}
	}
}

func (l folderLock) held() bool { return l.folder != nil }

func (l folderLock) unlock() {
	if l.folder != nil {
		_ = l.folder.Close()
	}
}

// removeLoneKeys removes what an init that was killed has left: a key, and no config to go with it.
// restic refuses to make a repository there. It is called with the folder's lock held, and leaves
// everything if there is any data.
func (k *Keeper) removeLoneKeys() error {
	path, err := k.localFolder()
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	for _, folder := range []string{"data", "index", "snapshots"} {
		err := filepath.WalkDir(filepath.Join(path, folder), func(name string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				err = fmt.Errorf("%s has lost its config, and holds data: %s", path, name)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("init: %w", err)
		}
	}
	if err := os.RemoveAll(filepath.Join(path, "keys")); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	return nil
}
