package script

import (
	"bytes"
	"slices"
	"strings"
)

// Requalified puts instead, a database's name in quotes and a dot, into a program's text where
// another's name stands before a dot, outside of strings and comments: FROM db.t becomes FROM
// `new`.t. With nothing instead what follows the dot is quoted, as behind one the server takes
// words for names that it takes for its own without.
//
// Where the name stands alone as well, as a table, an alias or a variable does, it may be that
// before a dot: then it is the database's before a call or a second dot, where the text has a table
// made or filled by it, and else as of tells of the name that follows: whether that is one of the
// database's, and whether it can be nothing else. Requalified tells whether it has found any of the
// database's, and whether it is sure of all.
func Requalified(sql, database, instead string, mode Mode, of func(name string) (ours, sure bool)) (text string, found, sure bool) {
	u := unqualifier{sql: []byte(sql), lx: newLexer(";", mode)}
	names, tables, alone := u.qualified(database)
	var out strings.Builder
	kept := 0
	sure = true
	for _, n := range names {
		ours, certain := true, true
		if alone && n.mark != '.' && n.mark != '(' && !tables[n.next] {
			ours, certain = of(n.next)
		}
		if !ours {
			continue
		}
		found, sure = true, sure && certain
		out.WriteString(sql[kept:n.begin] + instead)
		kept = n.end
		if instead == "" && kept < len(sql) && isLetter(sql[kept]) {
			out.WriteString("`" + n.next + "`")
			kept += len(n.next)
		}
	}
	return out.String() + sql[kept:], found, sure
}

// A qualifier is a database's name before a dot, or another's.
type qualifier struct {
	begin, end int    // from the name to behind the dot
	next       string // the name that follows; "": none does, as before a star
	mark       byte   // what stands behind that
}

// tableWords are those of the words before a table that stand before no column.
var tableWords = []string{"exists", "into", "join", "table"}

// qualified returns where a database's name stands before a dot, which of those that follow are
// tables, by the words before, and whether the name stands elsewhere too.
func (u *unqualifier) qualified(database string) (names []qualifier, tables map[string]bool, alone bool) {
	tables = make(map[string]bool)
	before, ofTable := "", false
	for u.next() {
		word := before
		before = ""
		if isLetter(u.sql[u.begin]) {
			before = strings.ToLower(u.name)
		}
		if n := len(names) - 1; n >= 0 && names[n].end == u.begin {
			names[n].next = u.name
			names[n].mark, _ = u.ahead()
			tables[u.name] = tables[u.name] || ofTable
		}
		if u.name != database || u.behind == '@' {
			continue
		}
		mark, end := u.ahead()
		switch {
		case u.behind == '.':
			alone = true
		case mark == '@': // a user
		case mark == '.':
			ofTable = u.behind == 'a' && slices.Contains(tableWords, word)
			end = u.after(end)
			names = append(names, qualifier{begin: u.begin, end: end})
			u.i, u.last = end, '.'
		default:
			alone = true
		}
	}
	return names, tables, alone
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
