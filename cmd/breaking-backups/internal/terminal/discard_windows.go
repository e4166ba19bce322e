package terminal

import "golang.org/x/sys/windows"

// discard empties a terminal's input.
func discard(fd uintptr) error { return windows.FlushConsoleInputBuffer(windows.Handle(fd)) }
