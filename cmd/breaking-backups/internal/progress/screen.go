package progress

import (
	"io"
	"slices"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
)

// A Screen is a terminal on which a bar stands below the lines that are written: each takes the bar
// away, and puts it back behind itself.
//
// A terminal may stand still, as after Ctrl-S. Then who writes a line waits, as without a bar; who
// shows a bar does not for long.
type Screen struct {
	w   io.Writer
	out sync.Mutex // held while something is written to w

	mu     sync.Mutex // never held while something is written
	bar    string     // that is to stand there; empty: none
	stands string     // what does
	hidden bool       // somebody else has the line
}

// NewScreen makes one of a terminal. All that goes there has to go through it while there is a bar.
func NewScreen(w io.Writer) *Screen { return &Screen{w: w} }

// erase goes to the beginning of the line and empties it.
const erase = "\r\x1b[K"

// patience is how long who shows a bar waits for the terminal. What is still being written then is
// left behind: it goes on when the terminal does, and ends with the program at the latest.
const patience = 200 * time.Millisecond

// Write writes whole lines.
func (s *Screen) Write(p []byte) (int, error) {
	s.out.Lock()
	s.mu.Lock()
	text := p
	if s.stands != "" {
		text = slices.Concat([]byte(erase), p, []byte(s.stands)) // at once, so that it does not flicker
	}
	s.mu.Unlock()
	_, err := s.w.Write(text)
	s.settle()
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// show puts a bar in the place of the one that is there; an empty one takes it away. Whether it can
// be shown is not what a run depends on: an error is nobody's.
func (s *Screen) show(bar string) {
	s.mu.Lock()
	s.bar = bar
	mine := s.wanted() != s.stands && s.out.TryLock() // else whoever writes will see to it
	s.mu.Unlock()
	if !mine {
		return
	}
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		s.settle()
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-settled:
	case <-timer.C:
	}
}

// settle has stand what is to, and gives out back, which its caller holds.
func (s *Screen) settle() {
	for {
		s.mu.Lock()
		bar := s.wanted()
		if bar == s.stands {
			s.out.Unlock() // before anybody can want another one
			s.mu.Unlock()
			return
		}
		s.stands = bar
		s.mu.Unlock()
		_, _ = io.WriteString(s.w, erase+bar)
	}
}

// wanted is called with mu held.
func (s *Screen) wanted() string {
	if s.hidden {
		return ""
	}
	return s.bar
}

// width is how wide a bar may be, which may change at any time.
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
	s.out.Lock()
	s.mu.Lock()
	s.hidden = hidden
	s.mu.Unlock()
	s.settle()
}
