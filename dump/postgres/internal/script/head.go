package script

import (
	"regexp"
	"strings"
)

// secret is where in a statement a password may follow: in its own clause, or in a connection
// string.
var secret = regexp.MustCompile(`(?i)password|CONNECTION`)

// Head shortens a statement for an error message. Passwords are cut away.
func Head(statement string) string {
	line, _, cut := strings.Cut(strings.TrimSpace(statement), "\n")
	if i := secret.FindStringIndex(line); i != nil {
		line, cut = line[:i[1]], true
	}
	const most = 120
	if runes := []rune(line); len(runes) > most {
		line, cut = string(runes[:most]), true
	}
	if cut {
		line += " …"
	}
	return line
}
