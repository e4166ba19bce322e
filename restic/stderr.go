package restic

import (
	"bytes"
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// stderr is what restic says on its standard error. It keeps the last of it for an error, and tells each line but
// restic's parting words as it comes.
type stderr struct {
	buf  []byte // the last of all
	line []byte // what has come of the line that is not yet ended
	said func(line string)
}

const tailSize = 4 << 10

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
		if text, final := plain(s.line); text != "" && !final {
			s.said(withoutPassword(text))
		}
		s.line, p = s.line[:0], rest
	}
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

// String is the last of it as one line.
func (s *stderr) String() string {
	var said []string
	for line := range bytes.Lines(s.buf) {
		if text, _ := plain(line); text != "" {
			said = append(said, text)
		}
	}
	return withoutPassword(strings.Join(said, "; "))
}

// A RefusedError is why a restic was ended whose store will have nothing to do with it. restic itself takes most such
// answers for a store's bad moments and tries again for a quarter of an hour.
type RefusedError struct{ Said string }

func (e *RefusedError) Error() string { return "the store refuses: " + e.Said }

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
			end(&RefusedError{Said: match[2]})
		}
	}
}
