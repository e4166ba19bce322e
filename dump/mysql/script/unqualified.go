package script

import (
	"bytes"
	"strings"
)

// Unqualified takes a database's name out of a program's text where it stands before a dot, outside of strings and
// comments: FROM db.t becomes FROM t. It tells whether it has found any, and whether it is sure that these are the
// database's: not where the name stands alone as well, as an alias, a variable or a table does, or before a star.
func Unqualified(sql, database string, mode Mode) (text string, found, sure bool) {
	u := unqualifier{sql: []byte(sql), lx: newLexer(";", mode)}
	var out strings.Builder
	kept := 0
	sure = true
	for u.next() {
		if u.name != database || u.behind == '.' || u.behind == '@' {
			continue
		}
		begin := u.begin
		switch mark, end := u.ahead(); {
		case mark == '@': // a user
		case mark == '.':
			if after := u.after(end); after < len(u.sql) && u.sql[after] == '*' {
				sure = false
			}
			found = true
			out.WriteString(sql[kept:begin])
			kept = u.after(end)
			u.i, u.last = kept, '.'
		default:
			sure = false
		}
	}
	if !found {
		return sql, false, true
	}
	return out.String() + sql[kept:], true, sure
}

// An unqualifier reads a program's names.
type unqualifier struct {
	sql    []byte
	lx     lexer
	i      int
	begin  int    // of the name
	name   string // without quotes
	behind byte   // what stands before it, but for blanks and comments
	last   byte   // what stands before what comes next
}

// next moves to the next name.
func (u *unqualifier) next() bool {
	last := u.last
	u.last = 'a' // a name
	for {
		u.i = u.after(u.i)
		if u.i >= len(u.sql) {
			return false
		}
		c := u.sql[u.i]
		u.begin, u.behind = u.i, last
		switch {
		case c == '`' || c == '"' && u.lx.mode&ANSIQuotes != 0:
			u.i = u.quoted(c)
			u.name = strings.ReplaceAll(string(u.sql[u.begin+1:max(u.begin+1, u.i-1)]), string([]byte{c, c}), string(c))
			return true
		case isLetter(c):
			for u.i < len(u.sql) && isLetter(u.sql[u.i]) {
				u.i++
			}
			u.name = string(u.sql[u.begin:u.i])
			return true
		case isQuote(c):
			u.lx.in = place(c)
			u.i, _ = u.lx.quoted(u.sql, u.i+1)
		default:
			u.i++
		}
		last = c
	}
}

// quoted returns the place behind the name in quotes that begins here.
func (u *unqualifier) quoted(quote byte) int {
	for i := u.i + 1; i < len(u.sql); i++ {
		if u.sql[i] != quote {
			continue
		}
		if i+1 == len(u.sql) || u.sql[i+1] != quote {
			return i + 1
		}
		i++
	}
	return len(u.sql)
}

// ahead returns what comes next, and the place behind it.
func (u *unqualifier) ahead() (mark byte, end int) {
	if i := u.after(u.i); i < len(u.sql) {
		return u.sql[i], i + 1
	}
	return 0, len(u.sql)
}

// after returns the place behind blanks and comments.
func (u *unqualifier) after(i int) int {
	for i < len(u.sql) {
		rest := u.sql[i:]
		end := ""
		switch {
		case isBlank(rest[0]):
			i++
			continue
		case rest[0] == '#', rest[0] == '-' && isDashes(rest):
			end = "\n"
		case bytes.HasPrefix(rest, []byte("/*")) && !u.lx.conditional(rest):
			end = "*/"
		default:
			return i
		}
		n := bytes.Index(rest[min(len(end), len(rest)):], []byte(end))
		if n < 0 {
			return len(u.sql)
		}
		i += n + 2*len(end)
	}
	return i
}
