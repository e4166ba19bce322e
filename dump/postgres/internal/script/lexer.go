package script

import "bytes"

// A lexer splits SQL as psql does, line by line: psql hands its lexer one line at a time, without
// the newline, so no token but a quoted one spans lines. It follows the rules of psqlscan.l with
// two liberties that change nothing: tokens that matter to no split (operators, punctuation) are
// not told apart, and a doubled quote of an identifier ends it and begins it again.
type lexer struct {
	std bool // standard_conforming_strings
	now state
	was state // the string that stringEnd comes from

	tag      []byte // the delimiter of the dollar quote, with both dollars
	nested   int    // comments around the one now open
	parens   int
	begins   int     // BEGIN and CASE not yet ended in the body of a function
	words    int     // identifiers seen in the statement, as far as head goes
	head     [4]byte // the initials of the first words, of those that can head a function
	routine  bool    // they do
	anything bool    // the statement has a token that is not a comment

	line   int // the number of the line being scanned, told by the caller
	opened int // the line where what now says was opened
}

// A state is a start condition of psqlscan.l.
type state uint8

const (
	initial       state = iota
	comment             // xc
	identifier          // xd, xui
	plainString         // xq
	unicodeString       // xus
	escapeString        // xe
	bitString           // xb, xh
	stringEnd           // xqs: after a closing quote, the string may yet go on
	dollarString        // xdolq
)

func (s state) String() string {
	switch s {
	case initial, stringEnd:
		return "statement"
	case comment:
		return "comment"
	case identifier:
		return "quoted identifier"
	case dollarString:
		return "dollar-quoted string"
	default:
		return "quoted string"
	}
}

// An event is what made scan stop.
type event uint8

const (
	lineEnd   event = iota
	semicolon       // the statement's own; it is behind the position returned
	backslash       // of a meta-command; it is behind the position returned
	reference       // to a psql variable; it is behind the position returned
)

// quoted reports whether an empty line at this place is part of the text.
func (lx *lexer) quoted() bool { return lx.now != initial && lx.now != stringEnd }

// open begins a quoted token or a comment.
func (lx *lexer) open(s state) {
	lx.now, lx.opened = s, lx.line
	lx.anything = lx.anything || s != comment
}

// scan reads line from i on, to its end or to the next event.
func (lx *lexer) scan(line []byte, i int) (int, event) {
	for i < len(line) {
		switch lx.now {
		case initial:
			var ev event
			if i, ev = lx.code(line, i); ev != lineEnd {
				return i, ev
			}
		case comment:
			i = lx.inComment(line, i)
		case identifier:
			i = lx.closeAt(line, i, bytes.IndexByte(line[i:], '"'), 1)
		case dollarString:
			i = lx.closeAt(line, i, bytes.Index(line[i:], lx.tag), len(lx.tag))
		case stringEnd:
			if j, ok := continued(line, i); ok {
				i, lx.now = j, lx.was
			} else {
				lx.now = initial
			}
		default:
			i = lx.inString(line, i)
		}
	}
	return i, lineEnd
}

// closeAt ends the present token width bytes after its delimiter, found at line[i+at:].
func (lx *lexer) closeAt(line []byte, i, at, width int) int {
	if at < 0 {
		return len(line)
	}
	lx.now = initial
	return i + at + width
}

func (lx *lexer) inComment(line []byte, i int) int {
	for ; i+1 < len(line); i++ {
		switch {
		case line[i] == '/' && line[i+1] == '*':
			lx.nested++
			i++
		case line[i] == '*' && line[i+1] == '/':
			if lx.nested == 0 {
				lx.now = initial
				return i + 2
			}
			lx.nested--
			i++
		}
	}
	return len(line)
}

func (lx *lexer) inString(line []byte, i int) int {
	for i < len(line) {
		if lx.now == escapeString {
			for i < len(line) && line[i] != '\'' && line[i] != '\\' {
				i++
			}
		} else if n := bytes.IndexByte(line[i:], '\''); n >= 0 {
			i += n
		} else {
			return len(line)
		}
		switch {
		case i >= len(line):
			return i
		case line[i] == '\\':
			i = min(i+2, len(line))
		case lx.now != bitString && i+1 < len(line) && line[i+1] == '\'':
			i += 2
		default:
			lx.was, lx.now = lx.now, stringEnd
			return i + 1
		}
	}
	return i
}

// continued reports whether the string that ended before line[i] goes on after blanks with a
// newline among them, and where. Within one line that newline can only be a carriage return; over
// the end of a line psql does not look.
func continued(line []byte, i int) (int, bool) {
	newline := false
	for i < len(line) {
		switch c := line[i]; {
		case c == '\'':
			return i + 1, newline
		case c == '\r':
			newline = true
			i++
		case class[c] == blank:
			i++
		case c == '-' && i+1 < len(line) && line[i+1] == '-':
			i = commentEnd(line, i)
		default:
			return i, false
		}
	}
	return i, false
}

// code reads what stands outside of quotes and comments, until it meets one.
func (lx *lexer) code(line []byte, i int) (int, event) {
	for i < len(line) {
		c := line[i]
		switch class[c] {
		case blank:
			i++
			continue
		case letter:
			j := i + 1
			if j < len(line) && (line[j] == '\'' || line[j] == '&') {
				if s, n := prefix(line[i:]); s != initial {
					lx.open(s)
					return i + n, lineEnd
				} else if n > 0 {
					lx.anything = true
					i += n
					continue
				}
			}
			for j < len(line) && class[line[j]] >= digit {
				j++
			}
			if lx.words < len(lx.head) || lx.routine {
				lx.word(line[i:j])
			}
			i = j
		case digit:
			i = number(line, i)
		case other:
			i++
		case mark, dollar:
			next := byte(0)
			if i+1 < len(line) {
				next = line[i+1]
			}
			switch {
			case c == '-' && next == '-':
				i = commentEnd(line, i)
				continue
			case c == '/' && next == '*':
				lx.nested = 0
				lx.open(comment)
				return i + 2, lineEnd
			case c == '\'' && lx.std:
				lx.open(plainString)
				return i + 1, lineEnd
			case c == '\'':
				lx.open(escapeString)
				return i + 1, lineEnd
			case c == '"':
				lx.open(identifier)
				return i + 1, lineEnd
			case c == '$':
				if i = lx.dollar(line, i); lx.now == dollarString {
					return i, lineEnd
				}
			case c == '(':
				lx.parens++
				i++
			case c == ')':
				lx.parens = max(lx.parens-1, 0)
				i++
			case c == ';':
				i++
				if lx.parens == 0 && lx.begins == 0 {
					lx.words, lx.anything = 0, true
					return i, semicolon
				}
			case c == '\\':
				return i + 1, backslash
			case c == ':':
				n := variable(line[i:])
				i += n
				if n > 1 && next != ':' && next != '=' {
					lx.anything = true
					return i, reference
				}
			case c == '.' && class[next] == digit:
				i = number(line, i)
			case c == '.' && next == '.':
				i += 2
			default:
				i++
			}
		}
		lx.anything = true
	}
	return i, lineEnd
}

// dollar reads what a dollar begins: the delimiter of a string, a parameter, or nothing.
func (lx *lexer) dollar(line []byte, i int) int {
	j := i + 1
	switch {
	case j < len(line) && class[line[j]] == digit: // $1, and the letters that stick to it
		for j < len(line) && class[line[j]] == digit {
			j++
		}
		return identifierEnd(line, j)
	case j < len(line) && class[line[j]] == letter:
		for j < len(line) && class[line[j]] >= digit && line[j] != '$' {
			j++
		}
	}
	if j < len(line) && line[j] == '$' {
		lx.open(dollarString)
		lx.tag = append(lx.tag[:0], line[i:j+1]...)
		return j + 1
	}
	return i + 1
}

// word counts an identifier, and the BEGIN … END blocks where the statement begins as CREATE [OR
// REPLACE] {FUNCTION | PROCEDURE}, as psql does it.
func (lx *lexer) word(w []byte) {
	if lx.words == 0 {
		lx.head = [4]byte{}
	}
	if lx.words < len(lx.head) {
		for _, s := range [...]string{"create", "function", "procedure", "or", "replace"} {
			if fold(w, s) {
				lx.head[lx.words] = s[0]
			}
		}
		h := lx.head
		lx.routine = h[0] == 'c' && (h[1] == 'f' || h[1] == 'p' || h[1] == 'o' && h[2] == 'r' && (h[3] == 'f' || h[3] == 'p'))
		lx.words++
	}
	if !lx.routine || lx.parens > 0 {
		return
	}
	switch {
	case fold(w, "begin"), lx.begins > 0 && fold(w, "case"):
		lx.begins++
	case lx.begins > 0 && fold(w, "end"):
		lx.begins--
	}
}

// prefix tells what a letter and the quote or ampersand behind it begin, and how many bytes belong
// to it. With no string begun, n bytes are to be passed over without counting as an identifier.
func prefix(s []byte) (begun state, n int) {
	quote := s[1] == '\''
	switch s[0] | 0x20 {
	case 'b', 'x':
		if quote {
			return bitString, 2
		}
	case 'e':
		if quote {
			return escapeString, 2
		}
	case 'n':
		if quote {
			return initial, 1
		}
	case 'u':
		switch {
		case quote:
			return initial, 0
		case len(s) > 2 && s[2] == '\'':
			return unicodeString, 3
		case len(s) > 2 && s[2] == '"':
			return identifier, 3
		}
		return initial, 1
	}
	return initial, 0
}

// number reads a number with the letters that stick to it, so that the e of 1e'x' is not taken for
// the prefix of a string.
func number(line []byte, i int) int {
	digits := func(j int) int {
		for j < len(line) && class[line[j]] == digit {
			j++
		}
		return j
	}
	j := digits(i)
	if j < len(line) && line[j] == '.' {
		if j+1 < len(line) && line[j+1] == '.' && j > i {
			return j // 1..10 is 1 and 10
		}
		j = digits(j + 1)
	}
	if j+1 < len(line) && line[j]|0x20 == 'e' && (line[j+1] == '+' || line[j+1] == '-') {
		k := digits(j + 2)
		if k == j+2 {
			return k // 1e- without an exponent still takes the sign
		}
		j = k
	}
	return identifierEnd(line, j)
}

// identifierEnd returns the end of the identifier at line[i], i if there is none.
func identifierEnd(line []byte, i int) int {
	if i < len(line) && class[line[i]] == letter {
		for i < len(line) && class[line[i]] >= digit {
			i++
		}
	}
	return i
}

// variable returns the length of what a colon begins: ::, :=, a reference to a psql variable
// (:name, :'name', :"name", :{?name}), or a mere colon.
func variable(s []byte) int {
	if len(s) < 2 {
		return 1
	}
	name := func(i int) int {
		for i < len(s) && class[s[i]] >= digit && s[i] != '$' {
			i++
		}
		return i
	}
	switch c := s[1]; c {
	case ':', '=':
		return 2
	case '\'', '"':
		if j := name(2); j > 2 && j < len(s) && s[j] == c {
			return j + 1
		}
		return 1
	case '{':
		if len(s) > 2 && s[2] == '?' {
			if j := name(3); j > 3 && j < len(s) && s[j] == '}' {
				return j + 1
			}
		}
		return 1
	default:
		return name(1)
	}
}

// commentEnd returns the end of the -- comment at line[i].
func commentEnd(line []byte, i int) int {
	if n := bytes.IndexByte(line[i:], '\r'); n >= 0 {
		return i + n
	}
	return len(line)
}

// skipBlank returns line without the white space and -- comments it begins with.
func skipBlank(line []byte) []byte {
	for i := 0; i < len(line); {
		switch {
		case class[line[i]] == blank:
			i++
		case bytes.HasPrefix(line[i:], []byte("--")):
			i = commentEnd(line, i)
		default:
			return line[i:]
		}
	}
	return nil
}

// fold reports whether w is the lower-case ASCII word s in any case.
func fold(w []byte, s string) bool {
	if len(w) != len(s) {
		return false
	}
	for i := range w {
		c := w[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

// Classes of bytes; digit and above can go on an identifier.
const (
	other  = iota
	blank  // space
	mark   // can begin something that matters
	digit  //
	dollar // $
	letter // can begin an identifier
)

var class = func() (t [256]uint8) {
	for c := range t {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z' && c < 0x80, c == '_', c >= 0x80:
			t[c] = letter
		case '0' <= c && c <= '9':
			t[c] = digit
		}
	}
	for _, c := range " \t\n\r\f" {
		t[c] = blank
	}
	for _, c := range `'"-/();:\.` {
		t[c] = mark
	}
	t['$'] = dollar
	return t
}()
