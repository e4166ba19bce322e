package script

import (
	"bytes"
	"strings"
)

// tokens reads the words of a statement's head.
type tokens struct {
	rest []byte
	word string // that next returned last, as it is written
}

// next returns the next word in lower case, a quoted name with its quotes, or a byte that is
// neither; empty at the end.
func (t *tokens) next() string {
	t.skip()
	s := t.rest
	n := min(1, len(s))
	switch {
	case n == 0:
	case s[0] == '`' || s[0] == '"' || s[0] == '\'':
		for n < len(s) && (s[n] != s[0] || n+1 < len(s) && s[n+1] == s[0]) {
			if s[n] == s[0] {
				n++
			}
			n++
		}
		n = min(n+1, len(s))
	case isWord(s[0]):
		for n < len(s) && isWord(s[n]) {
			n++
		}
	}
	t.word, t.rest = string(s[:n]), s[n:]
	return strings.ToLower(t.word)
}

// qualifies tells whether the last word is a name before a dot.
func (t *tokens) qualifies() bool {
	t.skip()
	return bytes.HasPrefix(t.rest, []byte(".")) && strings.Trim(t.word, "0123456789") != ""
}

// name is the last word as a name.
func (t *tokens) name() string {
	if n := len(t.word); n > 1 && (t.word[0] == '`' || t.word[0] == '"') {
		quote := t.word[:1]
		return strings.ReplaceAll(t.word[1:n-1], quote+quote, quote)
	}
	return t.word
}

// skip passes over blanks and comments, and over what begins and ends those that are statements.
func (t *tokens) skip() {
	for {
		t.rest = bytes.TrimLeft(t.rest, " \t\r\n\f\v")
		s := t.rest
		switch {
		case bytes.HasPrefix(s, []byte("/*!")), bytes.HasPrefix(s, []byte("/*M!")):
			t.rest = bytes.TrimLeft(s[bytes.IndexByte(s, '!')+1:], "0123456789")
		case bytes.HasPrefix(s, []byte("*/")):
			t.rest = s[2:]
		case bytes.HasPrefix(s, []byte("/*")):
			_, t.rest, _ = bytes.Cut(s[2:], []byte("*/"))
		case bytes.HasPrefix(s, []byte("#")), bytes.HasPrefix(s, []byte("--")):
			_, t.rest, _ = bytes.Cut(s, []byte("\n"))
		default:
			return
		}
	}
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
