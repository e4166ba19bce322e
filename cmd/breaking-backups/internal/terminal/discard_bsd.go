//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package terminal

import "golang.org/x/sys/unix"

// discard empties a terminal's input.
func discard(fd uintptr) error {
	const fread = 1
	return unix.IoctlSetPointerInt(int(fd), unix.TIOCFLUSH, fread)
}
