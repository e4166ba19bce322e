package servers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A scratch is a server's temporary folder. Its owner holds a lock on a file in it for as long as
// it lives, so that a folder whose lock is free belongs to a dead process; a process id in its name
// could have been given to another.
type scratch struct {
	dir  string
	lock *os.File
}

// Folders that young may be between being made and being locked.
const sweepAge = time.Minute

// newScratch makes base/breaking-backups-KIND-*, after removing what dead processes left there of
// the same kind.
func newScratch(base, kind string) (*scratch, error) {
	prefix := "breaking-backups-" + kind + "-"
	sweep(base, prefix)
	dir, err := os.MkdirTemp(base, prefix)
	if err != nil {
		return nil, err
	}
	lock, err := tryLock(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return &scratch{dir: dir, lock: lock}, nil
}

func (s *scratch) path(name string) string { return filepath.Join(s.dir, name) }

// giveTo makes the folder the server's own; 0755 because clients reach the socket in it.
func (s *scratch) giveTo(account account) error {
	if err := os.Chmod(s.dir, 0o755); err != nil {
		return err
	}
	if !account.other {
		return nil
	}
	return os.Chown(s.dir, int(account.uid), int(account.gid))
}

func (s *scratch) remove() error {
	err := os.RemoveAll(s.dir)
	s.lock.Close()
	return err
}

// sweep is best effort: what it cannot open or remove is someone else's.
func sweep(base, prefix string) {
	dirs, _ := filepath.Glob(filepath.Join(base, prefix+"*"))
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || info.Mode().Type() != fs.ModeDir || time.Since(info.ModTime()) < sweepAge {
			continue
		}
		lock, err := tryLock(filepath.Join(dir, "lock"), os.O_RDWR)
		switch {
		case err == nil:
			os.RemoveAll(dir)
			lock.Close()
		case errors.Is(err, fs.ErrNotExist): // what a child wrote after the folder was removed
			os.RemoveAll(dir)
		}
	}
}

func tryLock(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f, false); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}
