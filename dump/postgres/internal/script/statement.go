package script

import (
	"bytes"
	"strings"
)

// A meaning is what a reader must know of a statement: psql learns it from the server's answer.
type meaning struct {
	copyIn         bool // the server expects rows
	copyBinary     bool // and in a format that has no end marker
	std            setting
	unsafeEncoding string // a client encoding that cannot be read bytewise
}

type setting uint8

const (
	unchanged setting = iota
	off
	on
)

// examine looks for COPY … FROM STDIN, for SET and RESET of standard_conforming_strings, and for
// SET client_encoding and SET NAMES.
func examine(text []byte) (m meaning) {
	t := Tokens{text}
	switch t.Next() {
	case "copy":
		m.copyIn, m.copyBinary = copyFrom(&t)
	case "set":
		name := t.Next()
		if name == "session" || name == "local" {
			name = t.Next()
		}
		value := t.Next()
		if name != "names" && (value == "=" || value == "to") {
			value = t.Next()
		}
		value = strings.ToLower(strings.Trim(value, "'"))
		switch strings.Trim(name, `"`) {
		case "standard_conforming_strings":
			m.std = on
			if value == "0" || value == "of" || value == "off" || value != "" &&
				(strings.HasPrefix("false", value) || strings.HasPrefix("no", value)) {
				m.std = off
			}
		case "client_encoding", "names":
			if unsafeEncoding(value) {
				m.unsafeEncoding = value
			}
		}
	case "reset":
		if name := t.Next(); name == "standard_conforming_strings" || name == "all" {
			m.std = on
		}
	case "discard":
		if t.Next() == "all" {
			m.std = on
		}
	}
	return m
}

// copyFrom reads what follows the word COPY. FROM and TO are reserved words: outside of parentheses
// they are what they seem. STDOUT is as good as STDIN to the server's grammar.
func copyFrom(t *Tokens) (in, binary bool) {
	for depth := 0; ; {
		switch s := t.Next(); s {
		case "", "to":
			return false, false
		case "(":
			depth++
		case ")":
			depth--
		case "binary":
			binary = true
		case "from":
			if depth > 0 {
				continue
			}
			if s = t.Next(); s != "stdin" && s != "stdout" {
				return false, false
			}
			for s, last := t.Next(), ""; s != ""; s, last = t.Next(), s {
				binary = binary || s == "binary" || last == "format" && strings.Trim(s, `'"`) == "binary"
			}
			return true, binary
		}
	}
}

// unsafeEncoding reports whether name is that of an encoding whose letters hold bytes of ASCII:
// those that a client can have and a server cannot (src/common/encnames.c).
func unsafeEncoding(name string) bool {
	var clean []byte
	for _, c := range []byte(name) {
		if class[c] == digit || 'a' <= c|0x20 && c|0x20 <= 'z' {
			clean = append(clean, c|0x20)
		}
	}
	switch string(clean) {
	case "sjis", "shiftjis", "mskanji", "win932", "windows932", "shiftjis2004",
		"big5", "win950", "windows950", "gbk", "win936", "windows936",
		"uhc", "win949", "windows949", "gb18030", "johab":
		return true
	}
	return false
}

// Tokens reads a statement by tokens, as far as its head needs it: a backslash in a string of the E
// form is no more to it than any byte.
type Tokens struct{ rest []byte }

// NewTokens returns the Tokens of a statement.
func NewTokens(sql string) *Tokens { return &Tokens{[]byte(sql)} }

// Next returns a word in lower case, a string or a quoted identifier with its quotes, a number, or
// a single byte; at the end "".
func (t *Tokens) Next() string {
	s := t.skip()
	if len(s) == 0 {
		return ""
	}
	n := 1
	switch c := s[0]; {
	case class[c] >= digit:
		for n < len(s) && class[s[n]] >= digit {
			n++
		}
		t.rest = s[n:]
		return strings.ToLower(string(s[:n]))
	case c == '\'' || c == '"':
		for {
			i := bytes.IndexByte(s[n:], c)
			if i < 0 {
				n = len(s)
				break
			}
			if n += i + 1; n == len(s) || s[n] != c {
				break
			}
			n++
		}
	}
	t.rest = s[n:]
	return string(s[:n])
}

// skip returns the statement from its next token on.
func (t *Tokens) skip() []byte {
	s := t.rest
	for len(s) > 0 {
		switch {
		case class[s[0]] == blank:
			s = s[1:]
		case bytes.HasPrefix(s, []byte("--")):
			i := bytes.IndexAny(s, "\r\n")
			if i < 0 {
				return nil
			}
			s = s[i:]
		case bytes.HasPrefix(s, []byte("/*")):
			lx := lexer{now: comment}
			n := lx.inComment(s, 2)
			s = s[n:]
		default:
			return s
		}
	}
	return s
}
