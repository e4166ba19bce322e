package script

import "bytes"

// A Mode is what a reader must know of a session to tell text from quotes.
type Mode uint8

const (
	NoBackslashEscapes Mode = 1 << iota // of sql_mode: a backslash in a string is a letter
	ANSIQuotes                          // of sql_mode: "…" is a name, in which a backslash is one too
	MySQL                               // the server is MySQL: /*M! begins a comment like any other
	DollarQuotes                        // and of version 9 or later: $$ and $tag$ are quotes
)

// ServerMode is how a server and its client read text, but for the session's sql_mode: MariaDB, or
// MySQL of a version that begins with this number.
func ServerMode(mariadb bool, major int) Mode {
	switch {
	case mariadb:
		return 0
	case major >= 9:
		return MySQL | DollarQuotes
	}
	return MySQL
}

// A place is where in a statement a lexer is: its value is the quote's.
type place byte

const (
	plain        place = 0
	blockComment place = '*'
	lineComment  place = '-'
	dollars      place = '$'
)

func (p place) String() string {
	switch p {
	case '\'', '"', dollars:
		return "string"
	case '`':
		return "name"
	}
	return "comment"
}

type event uint8

const (
	more      event = iota // the text ends before the statement does
	delimited              // the delimiter is next
	command                // a backslash command is next
)

// A lexer looks for the end of a statement.
type lexer struct {
	mode      Mode
	delimiter []byte
	special   [256]uint8 // 1: a byte that means something outside of quotes and comments

	in     place
	opened int    // where that began
	tag    []byte // what ends dollars: $tag$
}

func newLexer(delimiter string, mode Mode) lexer {
	lx := lexer{delimiter: []byte(delimiter)}
	for _, c := range []byte("'\"`\\#-/") {
		lx.special[c] = 1
	}
	lx.special[delimiter[0]] = 1
	lx.setMode(mode)
	return lx
}

func (lx *lexer) setMode(mode Mode) {
	lx.mode = mode
	lx.special['$'] = 0
	if mode&DollarQuotes != 0 || lx.delimiter[0] == '$' {
		lx.special['$'] = 1
	}
}

// scan goes on in a statement from s[i]. It returns where it came to: at the end, all of s or all
// but a few bytes of which it needs to see what follows, unless nothing does.
func (lx *lexer) scan(s []byte, i int, last bool) (int, event) {
	for {
		switch lx.in {
		case plain:
			i = lx.skip(s, i)
			// What matters is at most as long as the delimiter, or as /*M!.
			if i == len(s) || len(s)-i < 16 && !last {
				return i, more
			}
			c, rest := s[i], s[i:]
			switch {
			case c == '\\':
				if len(rest) == 1 || rest[1] != 'N' {
					return i, command
				}
				i += 2
			case c == lx.delimiter[0] && bytes.HasPrefix(rest, lx.delimiter):
				return i, delimited
			case isQuote(c):
				lx.in, lx.opened = place(c), i
				i++
			case c == '$':
				n, ok := lx.dollars(s, i)
				if !ok && !last {
					return i, more // it may still become one
				}
				if n > 0 {
					lx.in, lx.opened, lx.tag = dollars, i, bytes.Clone(s[i:i+n])
				}
				i += max(1, n)
			case c == '#', c == '-' && isDashes(rest):
				lx.in, lx.opened = lineComment, i
				i++
			case c == '/' && len(rest) > 1 && rest[1] == '*' && !lx.conditional(rest):
				lx.in, lx.opened = blockComment, i
				i += 2
			default:
				i++
			}
			continue
		case lineComment:
			n := bytes.IndexByte(s[i:], '\n')
			if n < 0 {
				return len(s), more
			}
			i += n + 1
		case blockComment:
			n := bytes.Index(s[i:], []byte("*/"))
			if n < 0 {
				if !last && i < len(s) && s[len(s)-1] == '*' {
					return len(s) - 1, more
				}
				return len(s), more
			}
			i += n + 2
		case dollars:
			n := bytes.Index(s[i:], lx.tag)
			if n < 0 {
				if !last {
					return max(i, len(s)-len(lx.tag)+1), more
				}
				return len(s), more
			}
			i += n + len(lx.tag)
		default:
			var closed bool
			if i, closed = lx.quoted(s, i); !closed {
				return i, more
			}
		}
		lx.in = plain
	}
}

// skip returns the place of the first special byte from s[i] on, or the end.
func (lx *lexer) skip(s []byte, i int) int {
	t := &lx.special
	for ; len(s)-i >= 8; i += 8 {
		p := s[i : i+8 : i+8]
		if t[p[0]]|t[p[1]]|t[p[2]]|t[p[3]]|t[p[4]]|t[p[5]]|t[p[6]]|t[p[7]] != 0 {
			break
		}
	}
	for i < len(s) && t[s[i]] == 0 {
		i++
	}
	return i
}

// quoted goes on within quotes from s[i] and returns the place behind the closing one. A doubled
// quote is two quotations, which comes to the same.
func (lx *lexer) quoted(s []byte, i int) (int, bool) {
	q := byte(lx.in)
	escapes := q == '\'' && lx.mode&NoBackslashEscapes == 0 ||
		q == '"' && lx.mode&(NoBackslashEscapes|ANSIQuotes) == 0
	// Most strings are short: looking at each byte is cheaper than two searches.
	for short := min(len(s), i+24); i < short; i++ {
		if s[i] == q {
			return i + 1, true
		}
		if s[i] == '\\' && escapes {
			break
		}
	}
	for {
		end := len(s)
		n := bytes.IndexByte(s[i:], q)
		if n >= 0 {
			end = i + n
		}
		for escapes && i <= end {
			k := bytes.IndexByte(s[i:end], '\\')
			if k < 0 {
				break
			}
			if i+k+1 == len(s) {
				return i + k, false
			}
			i += k + 2
		}
		if i > end {
			continue // that quote was escaped
		}
		return min(end+1, len(s)), n >= 0
	}
}

// dollars returns the length of the $tag$ that begins at s[i], or 0 where none does. Whether one
// does is not known yet where s ends before.
func (lx *lexer) dollars(s []byte, i int) (n int, known bool) {
	if lx.mode&DollarQuotes == 0 || i > 0 && isLetter(s[i-1]) {
		return 0, true
	}
	for n := i + 1; n < len(s); n++ {
		switch {
		case s[n] == '$':
			return n + 1 - i, true
		case !isLetter(s[n]):
			return 0, true
		}
	}
	return 0, false
}

// conditional says whether the comment with which s begins is one that some servers read: /*!50003
// … */ or /*M!100100 … */.
func (lx *lexer) conditional(s []byte) bool {
	return len(s) > 2 && s[2] == '!' ||
		len(s) > 3 && s[2] == 'M' && s[3] == '!' && lx.mode&MySQL == 0
}

// isSandbox says whether s begins as the first line of mariadb-dump does.
func isSandbox(s []byte) bool {
	return bytes.HasPrefix(s, []byte(`/*M!999999\-`)) || bytes.HasPrefix(s, []byte(`/*!999999\-`))
}

// isDashes says whether s begins with -- and a blank or the end of the script.
func isDashes(s []byte) bool {
	return len(s) > 1 && s[1] == '-' && (len(s) == 2 || isBlank(s[2]))
}

func isQuote(c byte) bool { return c == '\'' || c == '"' || c == '`' }

func isBlank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func trimBlanks(s []byte) []byte {
	for len(s) > 0 && isBlank(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}
