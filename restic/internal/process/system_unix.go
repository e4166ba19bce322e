//go:build unix

package process

import (
	"os"
	"syscall"
)

// OnlyKills says that a restic cannot be asked to end, so that one that is ended leaves its lock.
const OnlyKills = false

// interrupt asks restic to remove its lock and to end.
func interrupt(restic *os.Process) error { return restic.Signal(syscall.SIGINT) }
