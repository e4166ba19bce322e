package terminal

import "golang.org/x/sys/unix"

// discard empties a terminal's input.
func discard(fd uintptr) error { return unix.IoctlSetInt(int(fd), unix.TCFLSH, unix.TCIFLUSH) }
