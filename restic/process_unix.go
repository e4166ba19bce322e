//go:build unix

package restic

import (
	"os"
	"syscall"
)

// interrupt asks restic to remove its lock and to end.
func interrupt(restic *os.Process) error { return restic.Signal(syscall.SIGINT) }

// tryLock takes the lock on an open file, which is held until that is closed. The error is EWOULDBLOCK if another has it.
func tryLock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
