package script

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
)

// Enclosed returns nil if every semicolon of a program is within a compound statement of its, BEGIN
// … END, IF … END IF and so on, or at its end. The mysql client tells the server that it may send
// several statements at once: what stands behind another semicolon, within delimiters of another
// kind, would be a statement of its own.
//
// It knows no grammar beyond these words and is lenient where they are names too. In sql_mode
// ORACLE declarations come before BEGIN, and it knows nothing.
func Enclosed(sql string, mode Mode) error {
	e := enclosure{sql: []byte(sql), lx: newLexer(";", mode)}
	for e.next() {
		if e.word == nil && e.mark == ';' && len(e.open) == 0 && !e.atEnd() {
			return errors.New("a semicolon that is not within BEGIN and END")
		}
		e.step()
	}
	return nil
}

// An enclosure reads a program word by word.
type enclosure struct {
	sql  []byte
	lx   lexer
	i    int
	word []byte // a word that is no part of a longer name, in upper case; nil: a mark
	mark byte

	open  []string // the compound statements that have begun; CASE is one that is an expression, CASE; a statement
	start bool     // a statement may begin here
}

// next moves to the next word or mark.
func (e *enclosure) next() bool {
	for e.i < len(e.sql) {
		c, rest := e.sql[e.i], e.sql[e.i:]
		switch {
		case isBlank(c):
			e.i++
		case isQuote(c):
			e.lx.in = place(c)
			e.i, _ = e.lx.quoted(e.sql, e.i+1)
			e.word, e.mark = nil, c
			return true
		case c == '#', c == '-' && isDashes(rest):
			if n := bytes.IndexByte(rest, '\n'); n >= 0 {
				e.i += n
			} else {
				e.i = len(e.sql)
			}
		case bytes.HasPrefix(rest, []byte("/*")) && !e.lx.conditional(rest):
			n := bytes.Index(rest, []byte("*/"))
			if n < 0 {
				return false
			}
			e.i += n + 2
		case isLetter(c):
			n := 1
			for n < len(rest) && isLetter(rest[n]) {
				n++
			}
			part := e.i > 0 && (e.sql[e.i-1] == '.' || e.sql[e.i-1] == '@')
			e.i += n
			if e.word, e.mark = nil, 'a'; !part {
				e.word = bytes.ToUpper(rest[:n])
			}
			return true
		default:
			e.i++
			e.word, e.mark = nil, c
			return true
		}
	}
	return false
}

func isLetter(c byte) bool {
	return c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

// atEnd tells whether nothing but blanks and comments comes.
func (e enclosure) atEnd() bool { return !e.next() }

var (
	isForLoop = regexp.MustCompile(`(?i)^\s+\S+\s+in\b`)
	isThen    = regexp.MustCompile(`(?i)\b(then|case)\b|;`)
)

func (e *enclosure) step() {
	top := ""
	if len(e.open) > 0 {
		top = e.open[len(e.open)-1]
	}
	push := func(what string) { e.open = append(e.open, what) }
	pop := func() { e.open = e.open[:len(e.open)-1] }
	start := e.start
	e.start = false
	if e.word == nil {
		e.start = e.mark == ';' || e.mark == ':' && !bytes.HasPrefix(e.sql[e.i:], []byte("="))
		return
	}
	called := bytes.HasPrefix(bytes.TrimLeft(e.sql[e.i:], " \t\r\n"), []byte("("))
	switch word := string(e.word); word {
	case "BEGIN":
		push(word)
		e.start = true
	case "CASE":
		if start {
			word = "CASE;"
		}
		push(word)
	case "LOOP", "WHILE":
		if start || top == "" {
			push(word)
			e.start = word == "LOOP"
		}
	case "REPEAT":
		if start || top == "" && !called {
			push(word)
			e.start = true
		}
	case "FOR":
		if isForLoop.Match(e.sql[e.i:]) && (start || top == "") {
			push(word)
		}
	case "IF":
		// Where it is no function: in the place of a statement, which is not known of a program's
		// first.
		if start || top == "" && strings.EqualFold(string(isThen.Find(e.sql[e.i:])), "then") {
			push(word)
		}
	case "THEN", "ELSE":
		e.start = top != "CASE"
	case "DO":
		e.start = true
	case "END":
		ahead := *e
		if ahead.next() && ahead.word != nil {
			switch of := string(ahead.word); of {
			case "IF", "LOOP", "WHILE", "REPEAT", "FOR", "CASE":
				if e.i = ahead.i; top == of || of == "CASE" && top == "CASE;" {
					pop()
				}
				return
			}
		}
		if top == "CASE" || top == "BEGIN" && start {
			pop()
		}
	}
}
