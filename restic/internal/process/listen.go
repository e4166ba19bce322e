package process

import (
	"cmp"
	"regexp"
	"time"
)

var tryingAgain = regexp.MustCompile(`^(.*) returned error, retrying after [^:]*: (.*)$`)

// A store is taken at its word when it has refused so often, for so long, without a pause: several
// requests go on at once, and it may have forgotten a key, or not yet heard of it, for a moment.
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
