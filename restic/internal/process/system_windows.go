package process

import (
	"os"
	"syscall"
)

// childAttributes keeps a Ctrl-C in the console from restic: we alone decide how it ends.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// OnlyKills says that a restic cannot be asked to end, so that one that is ended leaves its lock.
const OnlyKills = true

// interrupt ends restic at once: no signal is known that it could clean up on. Its lock is left,
// and dead after half an hour.
func interrupt(restic *os.Process) error { return restic.Kill() }

// moved is not known here.
func moved(int) (bytes uint64, ok bool) { return 0, false }
