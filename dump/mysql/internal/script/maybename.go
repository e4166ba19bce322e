package script

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// MayName tells whether a program's text, in a character set that nobody here knows, may name a
// database before a dot, in other bytes than its name has: of letters beyond ASCII it takes any for
// any. What is in a string or a comment counts too.
func MayName(text, database string) bool {
	if quote.IsASCII(database) {
		return false
	}
	var p strings.Builder
	foreign := false
	for _, c := range database {
		switch {
		case c < 0x80:
			p.WriteString(regexp.QuoteMeta(string(c)))
		case !foreign:
			p.WriteString(`[^\x00-\x7f]+`) // a byte that is no UTF-8 is such a letter to a regexp
		}
		foreign = c >= 0x80
	}
	re := regexp.MustCompile("(?i)(?:^|[^0-9a-z_$\\x{80}-\\x{10ffff}])(" + p.String() + ")[`\"]?\\s*\\.")
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		if m[1] != database {
			return true
		}
	}
	return false
}

// inOtherBytes matches a name with letters beyond ASCII before a dot.
var inOtherBytes = regexp.MustCompile("[^\\x00-\\x7f][0-9A-Za-z_$\\x{80}-\\x{10ffff}]*[`\"]?\\s*\\.")

// NamesInOtherBytes tells whether a program's text, which is not UTF-8, has such a name: it may be
// that of a database.
func NamesInOtherBytes(text string) bool {
	return !utf8.ValidString(text) && inOtherBytes.MatchString(text)
}
