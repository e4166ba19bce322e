// Package terminal is how text comes before a person: what others have chosen made visible, lines
// that fit, columns, numbers of bytes. What is said, and whether it may be, is decided by whoever
// says it.
package terminal

import (
	"fmt"
	"os"

	"golang.org/x/term"
)

// Is reports whether w, or what is read from, is one.
func Is(w any) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Discard takes away what was typed into a terminal before anybody was asked: it answers nothing.
func Discard(r any) {
	if file, ok := r.(*os.File); ok {
		_ = discard(file.Fd()) // what is then left is read as an answer
	}
}

// Size writes a number of bytes for people.
func Size(n uint64) string {
	const unit = 1000
	value, i := float64(n), 0
	for ; value >= unit && i < 4; i++ {
		value /= unit
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, []string{"", "kB", "MB", "GB", "TB"}[i])
}
