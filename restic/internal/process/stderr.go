package process

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
)

// stderr is what restic says on its standard error. It keeps the last of it for an error, and tells
// each line but restic's parting words as it comes.
type stderr struct {
	buf   []byte // the last of all
	line  []byte // what has come of the line that is not yet ended
	held  []byte // a line that may be the name of a function in a trace of calls; the next one shows
	crash string // what a restic has said that has crashed; the trace of its calls is longer than the last of all
	said  func(line string)

	stays []string // what it could not remove: told at the end, unless restic ends for that
}

const (
	tailSize  = 4 << 10
	staysMost = 100 // lines of that, of which each pack has two; no more are told in a minute anyway
)

func (s *stderr) Write(p []byte) (int, error) {
	s.buf = append(s.buf, p...)
	if extra := len(s.buf) - tailSize; extra > 0 {
		s.buf = append(s.buf[:0], s.buf[extra:]...)
	}
	n := len(p)
	for {
		part, rest, ended := bytes.Cut(p, []byte{'\n'})
		if room := tailSize - len(s.line); room > 0 {
			s.line = append(s.line, part[:min(len(part), room)]...)
		}
		if !ended {
			return n, nil
		}
		s.endLine()
		s.line, p = s.line[:0], rest
	}
}

func (s *stderr) endLine() {
	held := s.held
	s.held = nil
	if inTrace.Match(s.line) {
		return
	}
	s.tell(held)
	switch {
	case s.crash == "" && crashed.Match(s.line):
		s.crash = string(s.line)
	case len(s.line) > 0 && !bytes.ContainsAny(s.line, " \t"):
		s.held = bytes.Clone(s.line)
		return
	}
	s.tell(s.line)
}

func (s *stderr) tell(line []byte) {
	switch text, final := plain(line); {
	case text == "" || final:
	case !notRemoved.MatchString(text):
		s.said(withoutPassword(text))
	case len(s.stays) < staysMost:
		s.stays = append(s.stays, withoutPassword(text))
	}
}

// ended tells what restic could not remove, unless err is just that: prune goes on where data
// stays, and ends well.
func (s *stderr) ended(err error) {
	if errors.Is(err, ErrNoDelete) {
		return
	}
	for _, text := range s.stays {
		s.said(text)
	}
}

// restic ends an error that it has not foreseen with the calls that led to it, each as a function's
// name on one line and its place on the next. They are for its authors.
var (
	inTrace = regexp.MustCompile(`^\t\S+\.(go|s):\d+( \+0x[0-9a-f]+)?$`)
	crashed = regexp.MustCompile(`^(panic|fatal error): `)
)

// urlPassword is the password in a URL's user part: restic takes it out of most of its messages,
// not of all.
var urlPassword = regexp.MustCompile(`(://[^/\s:@]*):[^/\s]+@`)

func withoutPassword(text string) string { return urlPassword.ReplaceAllString(text, "$1:***@") }

// plain is what a line says, and whether it is why restic ends. With --json restic says most things
// as objects; their message is what counts.
func plain(line []byte) (text string, final bool) {
	text = string(line)
	var m struct {
		MessageType string `json:"message_type"`
		Message     string `json:"message"`
		Error       struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(line, &m) == nil && m.MessageType != "" {
		text = m.Message + m.Error.Message
	}
	text = strings.Join(strings.Fields(text), " ")
	bare := strings.TrimPrefix(text, "Fatal: ")
	return bare, m.MessageType == "exit_error" || bare != text || bare == "signal interrupt received, cleaning up"
}

// String is the last of it as one line, without traces of calls.
func (s *stderr) String() string {
	if s.crash != "" {
		return withoutPassword(s.crash)
	}
	lines := slices.Collect(bytes.Lines(s.buf))
	trace := func(i int) bool { return i < len(lines) && inTrace.Match(bytes.TrimRight(lines[i], "\n")) }
	var said []string
	for i, line := range lines {
		if trace(i) || trace(i+1) {
			continue
		}
		if text, _ := plain(line); text != "" {
			said = append(said, text)
		}
	}
	return withoutPassword(strings.Join(said, "; "))
}
