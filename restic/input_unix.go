//go:build unix

package restic

import (
	"os"
	"syscall"
)

// CanBackUp tells why [Client.Backup] cannot keep its promise on this system, with an error that is
// an errors.ErrUnsupported. nil: it can.
func CanBackUp() error { return nil }

// socketPair makes the two ends of a connection, neither of them inherited by a child that is not
// given it. What is sent from held waits in a buffer of size bytes, or of what the system allows.
func socketPair(size int) (restics, held *os.File, err error) {
	syscall.ForkLock.RLock() // a child started between the two calls would inherit both ends
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, err
	}
	_ = syscall.SetsockoptInt(fds[1], syscall.SOL_SOCKET, syscall.SO_SNDBUF, size)
	return os.NewFile(uintptr(fds[0]), "restic's input"), os.NewFile(uintptr(fds[1]), "our end"), nil
}
