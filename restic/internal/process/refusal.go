package process

import (
	"cmp"
	"regexp"
	"strings"
	"time"
)

// A RefusedError is why a restic was ended whose store will have nothing to do with it. restic itself takes most such
// answers for a store's bad moments and tries again for a quarter of an hour.
type RefusedError struct {
	Said     string
	Removing bool // it was to remove something, which a store may refuse that takes all else
}

func (e *RefusedError) Error() string {
	if e.Removing {
		return "the store refuses to delete: " + e.Said
	}
	return "the store refuses: " + e.Said
}

// Is matches [ErrNoDelete].
func (e *RefusedError) Is(target error) bool { return e.Removing && target == ErrNoDelete }

// refusal is what stores answer whom they do not know, or not for this; and what a certificate that nobody trusts gives.
var refusal = regexp.MustCompile(`(?i)signature ?(we calculated )?does ?not ?match|bucket does not exist|no ?such ?bucket|access key id you provided does not exist|invalid ?access ?key|access ?denied|` +
	`\b40[13]\b|unauthorized|forbidden|expired ?token|token (has|is) expired|invalid_grant|x509: `)

// Refuses reports whether what a store answers, by restic's account of it, is a refusal.
func Refuses(answer string) bool { return refusal.MatchString(answer) }

var tryingAgain = regexp.MustCompile(`^(.*) returned error, retrying after [^:]*: (.*)$`)

// A store is taken at its word when it has refused so often, for so long, without a pause: several requests go on at once,
// and it may have forgotten a key, or not yet heard of it, for a moment.
const (
	refusedOften = 3
	refusedFor   = 5 * time.Second
	refusedPause = time.Minute
)

// said returns what is told of every line: whoever wants to know, and end of a store that refuses.
func (p *Program) said(end func(error)) func(string) {
	often, first, last := 0, time.Time{}, time.Time{}
	enough := cmp.Or(p.refusedFor, refusedFor)
	return func(line string) {
		if p.Said != nil {
			p.Said(line)
		}
		match := tryingAgain.FindStringSubmatch(line)
		if match == nil || !Refuses(match[2]) {
			return
		}
		now := time.Now()
		if often == 0 || now.Sub(last) > refusedPause {
			often, first = 0, now
		}
		last = now
		if often++; often >= refusedOften && now.Sub(first) >= enough {
			end(&RefusedError{Said: match[2], Removing: removal.MatchString(line)})
		}
	}
}

// What restic says of a file that it wants to remove: that of a snapshot, of an index, of data or of a key. Locks are not
// meant: stores that are append-only let them go, and a backup needs that too.
var (
	notRemoved = regexp.MustCompile(`^(Remove\(<(snapshot|index|data|key)/\w*>\) failed: |unable to remove \S+ from the repository$|failed to remove one or more )`)
	removal    = regexp.MustCompile(`Remove\(<(?:snapshot|index|data|key)/\w*>\) (?:failed|returned error, retrying after [^:]*): ([^;]*)`)
)

// deleteRefused is the answer of a store that does not let restic remove what it wants to, if what restic has said ends with
// that, or empty: it goes on after some such answers, and may end for something else.
func deleteRefused(said string) string {
	last := said
	if i := strings.LastIndex(said, "; "); i >= 0 {
		last = said[i+2:]
	}
	for _, match := range removal.FindAllStringSubmatch(said, -1) {
		if Refuses(match[1]) && (notRemoved.MatchString(last) || strings.Contains(last, match[1])) {
			return match[1]
		}
	}
	return ""
}
