package progress

import (
	"io"
	"slices"
	"sync"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
)

// A Screen is a terminal on which a bar stands below the lines that are written: each takes the
// bar away, and puts it back behind itself.
type Screen struct {
	mu     sync.Mutex
	w      io.Writer
	bar    string // as it stands there; empty: there is none
	hidden bool   // somebody else has the line
}

// NewScreen makes one of a terminal. All that goes there has to go through it while there is a bar.
func NewScreen(w io.Writer) *Screen { return &Screen{w: w} }

// erase goes to the beginning of the line and empties it.
const erase = "\r\x1b[K"

// Write writes whole lines.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar == "" || s.hidden {
		return s.w.Write(p)
	}
	if _, err := s.w.Write(slices.Concat([]byte(erase), p, []byte(s.bar))); err != nil { // at once, so that it does not flicker
		return 0, err
	}
	return len(p), nil
}

// show puts a bar in the place of the one that is there; an empty one takes it away. Whether it can
// be shown is not what a run depends on: an error is nobody's.
func (s *Screen) show(bar string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bar == s.bar {
		return
	}
	s.bar = bar
	if !s.hidden {
		_, _ = io.WriteString(s.w, erase+bar)
	}
}

// width is how wide the terminal is, which may change at any time.
func (s *Screen) width() int { return terminal.Width(s.w) }

// Hide takes the bar away until what it returns is called, for somebody who asks something. There
// may be no Screen.
func (s *Screen) Hide() (back func()) {
	if s == nil {
		return func() {}
	}
	s.hide(true)
	return func() { s.hide(false) }
}

func (s *Screen) hide(hidden bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hidden = hidden
	switch {
	case s.bar == "":
	case hidden:
		_, _ = io.WriteString(s.w, erase)
	default:
		_, _ = io.WriteString(s.w, s.bar)
	}
}
