package quote

import "strings"

// Index returns the index of the word in text, or -1 where it is not, or only within quotes.
func Index(text, word string) int {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '`' || c == '\'' || c == '"':
			if i = End(text, i); i < 0 {
				return -1
			}
		case strings.HasPrefix(text[i:], word):
			return i
		}
	}
	return -1
}

// End returns the index of the quote that ends what begins at i, or -1. In names a quote is
// doubled; in strings a backslash may stand before it too.
func End(sql string, i int) int {
	quote := sql[i]
	for i++; i < len(sql); i++ {
		switch {
		case sql[i] == '\\' && quote != '`':
			i++
		case sql[i] == quote:
			if i+1 == len(sql) || sql[i+1] != quote {
				return i
			}
			i++
		}
	}
	return -1
}

// CutName cuts a quoted name off the beginning of s.
func CutName(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, "`") {
		return "", "", false
	}
	end := End(s, 0)
	if end < 0 {
		return "", "", false
	}
	return s[:end+1], s[end+1:], true
}

// Emptied leaves of what is within quotes the quotes.
func Emptied(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		b.WriteByte(text[i])
		if c := text[i]; c == '`' || c == '\'' || c == '"' {
			if i = End(text, i); i < 0 {
				break
			}
			b.WriteByte(c)
		}
	}
	return b.String()
}

// IsASCII tells whether text has the same bytes in every character set that a session can be in.
func IsASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > 127 }) < 0
}
