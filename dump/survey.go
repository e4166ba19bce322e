package dump

import (
	"fmt"
	"strings"
)

// A Survey is what an engine finds out about a dump before it makes it. It reads no rows.
type Survey struct {
	// Source names the database itself, whatever the address it was reached by: the same in every
	// run and on every replica, another one for another database, without secrets. It is for
	// holding apart snapshots of databases that bear the same host's name. Letters, digits and
	// -._:%/ only. Empty where the server does not tell.
	Source string

	// Empty tells that the dump would hold nothing, and that the settings allow it; where they do
	// not the survey's error is an *EmptyError.
	Empty bool

	// Bytes is about how many bytes the dump will have, by what the server knows without reading
	// rows; it may be far off. 0: nobody knows.
	Bytes int64
}

// PlainName writes a name in the letters of a Survey's Source: all but letters, digits and -._ as
// the numbers of their bytes, as in a URL. What an engine puts between names, / and :, is in none
// of them.
func PlainName(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '.' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// An EmptyError is why a dump that would hold nothing is not made: what was asked for is not there,
// or the user may not see it. A backup of nothing that succeeds pushes good backups out of a
// retention policy.
type EmptyError struct {
	Asked string   // what was asked for: "database App", "tables public.ordr"
	There []string // what is there instead, as far as the user sees it; may be empty
}

// emptyShown is how many of the names that are there an EmptyError tells.
const emptyShown = 10

func (e *EmptyError) Error() string {
	text := e.Asked + ": nothing to dump"
	if len(e.There) == 0 {
		return text + ", and nothing else is to be seen there"
	}
	shown := e.There[:min(len(e.There), emptyShown)]
	quoted := make([]string, len(shown))
	for i, name := range shown {
		quoted[i] = fmt.Sprintf("%+q", name)
	}
	text += "; there is " + strings.Join(quoted, ", ")
	if more := len(e.There) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
