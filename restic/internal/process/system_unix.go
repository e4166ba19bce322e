//go:build unix

package process

import (
	"os"
	"syscall"
)

// interrupt asks restic to remove its lock and to end.
func interrupt(restic *os.Process) error { return restic.Signal(syscall.SIGINT) }
