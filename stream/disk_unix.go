//go:build unix

package stream

import (
	"fmt"
	"os"
	"syscall"
)

// freeSpace is how many bytes an unprivileged user can still write in dir.
func freeSpace(dir string) (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return int64(fs.Bavail) * int64(fs.Bsize), nil
}

// tryLock locks an open file until it is closed or its process ends. The error is EWOULDBLOCK if
// another has the lock.
func tryLock(file *os.File) error {
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return &os.PathError{Op: "lock", Path: file.Name(), Err: err}
	}
	return nil
}
