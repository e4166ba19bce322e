//go:build unix

package repository

import (
	"os"
	"syscall"
)

// tryLock takes the lock on an open file, which is held until that is closed. The error is
// EWOULDBLOCK if another has it.
func tryLock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
