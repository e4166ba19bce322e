package mysql

import (
	"bytes"
	"slices"
	"strings"
)

// A naming is what a statement names as what it changes.
type naming struct {
	databases []string // those of qualified names
	whole     bool     // the one database itself: USE, CREATE, DROP and ALTER DATABASE
}

// namedIn looks at a statement's head for names of databases. Whatever a dump may
// be made of names them, if at all, before its first parenthesis and before what
// only reads; comments, and those that are statements for some servers, are seen
// through. (A dump that is out for more finds ways, as what it holds is run.)
func namedIn(sql []byte) (n naming) {
	t := &tokens{rest: sql}
	verb := t.next()
	if verb == "use" {
		t.next()
		return naming{[]string{t.name()}, true}
	}
	if !slices.Contains(changing, verb) {
		return n
	}
	for word := t.next(); word != "" && !slices.Contains(headEnds, word); word = t.next() {
		switch {
		case (word == "database" || word == "schema") && slices.Contains(ofDatabases, verb):
			for word = t.next(); slices.Contains([]string{"if", "not", "exists"}, word); word = t.next() {
			}
			if verb == "alter" && slices.Contains(databaseOptions, word) { // of the one that is used
				return n
			}
			return naming{[]string{t.name()}, true}
		case t.qualifies():
			n.databases = append(n.databases, t.name())
			t.next()
			t.next()
		}
	}
	return n
}

var (
	// changing are the verbs of statements that change what they name.
	changing    = []string{"alter", "create", "delete", "drop", "insert", "load", "lock", "rename", "replace", "truncate", "update"}
	ofDatabases = []string{"alter", "create", "drop"}
	// headEnds are the words behind which a statement reads, or is another's text.
	headEnds = []string{"(", "as", "begin", "call", "do", "each", "like", "references", "return", "select", "set", "value", "values", "where"}
	// databaseOptions are what ALTER DATABASE without a name goes on with.
	databaseOptions = []string{"character", "charset", "collate", "comment", "default", "encryption", "read", "upgrade"}
)

// unqualified takes a database's name out of a trigger's head, where it stands if
// whoever made the trigger wrote it: the dump of one database goes into any. What
// follows is quoted, as behind a dot a word of SQL is a name without.
func unqualified(definition, database string) string {
	t := &tokens{rest: []byte(definition)}
	var b strings.Builder
	kept := 0
	for word := t.next(); word != "" && word != "each"; word = t.next() {
		end := len(definition) - len(t.rest)
		if !t.qualifies() || t.name() != database {
			continue
		}
		b.WriteString(definition[kept : end-len(t.word)])
		t.next() // the dot
		t.skip()
		kept = len(definition) - len(t.rest)
		if kept < len(definition) && isWord(definition[kept]) {
			t.next()
			b.WriteString("`" + t.word + "`")
			kept += len(t.word)
		}
	}
	return b.String() + definition[kept:]
}

// tokens reads the words of a statement's head.
type tokens struct {
	rest []byte
	word string // that next returned last, as it is written
}

// next returns the next word in lower case, a quoted name with its quotes, or a
// byte that is neither; empty at the end.
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

// skip passes over blanks and comments, and over what begins and ends those that
// are statements.
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
