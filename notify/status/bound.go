package status

import (
	"strings"
	"unicode/utf8"
)

// Bounds on texts, in bytes, and on how many there are. Servers say what they like, and names may
// be anybody's.
const (
	mostError    = 4 << 10
	mostHint     = 1 << 10
	mostWarning  = 1 << 10
	mostName     = 512
	mostWarnings = 50
	mostWrong    = 20
)

// clip is a text of no more than n bytes, which holds on to no longer one that it is part of.
func clip(text string, n int) string {
	const more = "…"
	if len(text) <= n {
		return strings.Clone(text)
	}
	end := n - len(more)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}
