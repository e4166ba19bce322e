package restic

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// What Windows has no counterpart for. Its restic reads, restores and forgets; it is given no backup.

// CanBackUp tells why [Client.Backup] cannot keep its promise here: a child inherits no connection whose other end it
// could be made to hold, and so restic takes the death of whoever writes to it for the end of the dump.
func CanBackUp() error {
	return fmt.Errorf("Windows has no input for restic that cannot end by accident: %w", errors.ErrUnsupported)
}

func socketPair(int) (restics, held *os.File, err error) { return nil, nil, CanBackUp() }

// tryLock: no folder is locked here, as on a file system that cannot.
func tryLock(*os.File) error { return errors.ErrUnsupported }

// tryFolder: restic finds out by itself.
func tryFolder(string) error { return nil }

// childAttributes keeps a Ctrl-C in the console from restic: we alone decide how it ends.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// interrupt ends restic at once: no signal is known that it could clean up on. Its lock is left, and dead after half an
// hour.
func interrupt(restic *os.Process) error { return restic.Kill() }

// moved is not known here.
func moved(int) (bytes uint64, ok bool) { return 0, false }
