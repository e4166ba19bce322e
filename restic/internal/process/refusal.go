package process

import (
	"regexp"
	"strings"
)

// refusal is what stores answer whom they do not know, or not for this; and what a certificate that
// nobody trusts gives.
var refusal = regexp.MustCompile(`(?i)signature ?(we calculated )?does ?not ?match|bucket does not exist|no ?such ?bucket|access key id you provided does not exist|invalid ?access ?key|access ?denied|` +
	`\b40[13]\b|unauthorized|forbidden|expired ?token|token (has|is) expired|invalid_grant|x509: `)

// Refuses reports whether what a store answers, by restic's account of it, is a refusal.
func Refuses(answer string) bool { return refusal.MatchString(answer) }

// What restic says of a file that it wants to remove: that of a snapshot, of an index, of data or
// of a key. Locks are not meant: stores that are append-only let them go, and a backup needs that
// too.
var (
	notRemoved = regexp.MustCompile(`^(Remove\(<(snapshot|index|data|key)/\w*>\) failed: |unable to remove \S+ from the repository$|failed to remove one or more )`)
	removal    = regexp.MustCompile(`Remove\(<(?:snapshot|index|data|key)/\w*>\) (?:failed|returned error, retrying after [^:]*): ([^;]*)`)
)

// deleteRefused is the answer of a store that does not let restic remove what it wants to, if what
// restic has said ends with that, or empty: it goes on after some such answers, and may end for
// something else.
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
