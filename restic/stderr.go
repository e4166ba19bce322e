package restic

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
)

// stderr is what restic says on its standard error. It keeps the last of it for an error, and tells each line but
// restic's parting words as it comes.
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

// ended tells what restic could not remove, unless err is just that: prune goes on where data stays, and ends well.
func (s *stderr) ended(err error) {
	if errors.Is(err, ErrNoDelete) {
		return
	}
	for _, text := range s.stays {
		s.said(text)
	}
}

// restic ends an error that it has not foreseen with the calls that led to it, each as a function's name on one line and
// its place on the next. They are for its authors.
var (
	inTrace = regexp.MustCompile(`^\t\S+\.(go|s):\d+( \+0x[0-9a-f]+)?$`)
	crashed = regexp.MustCompile(`^(panic|fatal error): `)
)

// What restic says of a file that it wants to remove: that of a snapshot, of an index, of data or of a key. Locks are not
// meant: stores that are append-only let them go, and a backup needs that too.
var (
	notRemoved = regexp.MustCompile(`^(Remove\(<(snapshot|index|data|key)/\w*>\) failed: |unable to remove \S+ from the repository$|failed to remove one or more )`)
	removal    = regexp.MustCompile(`Remove\(<(?:snapshot|index|data|key)/\w*>\) (?:failed|returned error, retrying after [^:]*): ([^;]*)`)
)

// unlockFailed is the same of a lock, with the beginning of its ID.
var unlockFailed = regexp.MustCompile(`Remove\(<lock/([0-9a-f]{8,})>\) (?:failed|returned error, retrying after [^:]*): (.*)`)

// deleteRefused is the answer of a store that does not let restic remove what it wants to, if what restic has said ends with
// that, or empty: it goes on after some such answers, and may end for something else.
func deleteRefused(said string) string {
	last := said
	if i := strings.LastIndex(said, "; "); i >= 0 {
		last = said[i+2:]
	}
	for _, match := range removal.FindAllStringSubmatch(said, -1) {
		if refusal.MatchString(match[1]) && (notRemoved.MatchString(last) || strings.Contains(last, match[1])) {
			return match[1]
		}
	}
	return ""
}

// urlPassword is the password in a URL's user part: restic takes it out of most of its messages, not of all.
var urlPassword = regexp.MustCompile(`(://[^/\s:@]*):[^/\s]+@`)

func withoutPassword(text string) string { return urlPassword.ReplaceAllString(text, "$1:***@") }

// plain is what a line says, and whether it is why restic ends. With --json restic says most things as objects; their
// message is what counts.
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

// A RefusedError is why a restic was ended whose store will have nothing to do with it. restic itself takes most such
// answers for a store's bad moments and tries again for a quarter of an hour.
type RefusedError struct {
	Said string

	removing bool // something, which a store may refuse that takes all else
}

func (e *RefusedError) Error() string {
	if e.removing {
		return "the store refuses to delete: " + e.Said
	}
	return "the store refuses: " + e.Said
}

// Is matches [ErrNoDelete].
func (e *RefusedError) Is(target error) bool { return e.removing && target == ErrNoDelete }

// refusal is what stores answer whom they do not know, or not for this; and what a certificate that nobody trusts gives.
var refusal = regexp.MustCompile(`(?i)signature ?(we calculated )?does ?not ?match|bucket does not exist|no ?such ?bucket|access key id you provided does not exist|invalid ?access ?key|access ?denied|` +
	`\b40[13]\b|unauthorized|forbidden|expired ?token|token (has|is) expired|invalid_grant|x509: `)

var tryingAgain = regexp.MustCompile(`^(.*) returned error, retrying after [^:]*: (.*)$`)

// A store is taken at its word when it has refused so often, for so long, without a pause: several requests go on at once,
// and it may have forgotten a key, or not yet heard of it, for a moment.
const (
	refusedOften = 3
	refusedFor   = 5 * time.Second
	refusedPause = time.Minute
)

// said returns what is told of every line: whoever wants to know, and end of a store that refuses.
func (c *Client) said(end func(error)) func(string) {
	often, first, last := 0, time.Time{}, time.Time{}
	enough := cmp.Or(c.refusedFor, refusedFor)
	return func(line string) {
		if c.Said != nil {
			c.Said(line)
		}
		if match := unlockFailed.FindStringSubmatch(line); match != nil && refusal.MatchString(match[2]) {
			keptLocks.Store(match[1], match[2])
		}
		match := tryingAgain.FindStringSubmatch(line)
		if match == nil || !refusal.MatchString(match[2]) {
			return
		}
		now := time.Now()
		if often == 0 || now.Sub(last) > refusedPause {
			often, first = 0, now
		}
		last = now
		if often++; often >= refusedOften && now.Sub(first) >= enough {
			end(&RefusedError{Said: match[2], removing: removal.MatchString(line)})
		}
	}
}
