package rows

import (
	"bytes"
	"errors"
)

// A rowLine holds a row that the server sends against what COPY's text format is: one line, of
// which the server itself writes every backslash, line feed, carriage return and tab within a value
// as two letters, and which holds no zero byte. The rows go to psql as they are, and it takes these
// for something else:
//
//   - a line that begins with \. ends the COPY, with a line feed behind it or a carriage return and
//     one, and what follows are statements and commands;
//   - a line feed in a row begins another line, which may be such;
//   - of a line with a zero byte psql sends what is before it, and takes the next line for the rest
//     of it: that would hide the end of the COPY;
//   - a carriage return has the server take all lines for ones that end with it.
//
// A row may come in parts, of any size. The zero value is ready for a row.
type rowLine struct {
	size  int
	first byte
}

// errLooseRow is about a row that no server sends, unless it was made to: one that ends the COPY it
// is in, or is more than one line. What follows would be statements and commands to psql
// (CVE-2025-8714).
var errLooseRow = errors.New("the server sent a row that is not one line of COPY's format")

// add takes in the next part of the row.
func (l *rowLine) add(part []byte, last bool) error {
	if len(part) == 0 {
		if last {
			return errLooseRow
		}
		return nil
	}
	second := 1 - l.size // where the row's second byte is in part
	if l.size == 0 {
		l.first = part[0]
	}
	if l.first == '\\' && second >= 0 && second < len(part) && part[second] == '.' {
		return errLooseRow
	}
	l.size += len(part)
	feed := bytes.IndexByte(part, '\n')
	if last && feed != len(part)-1 || !last && feed >= 0 || bytes.IndexByte(part, '\r') >= 0 || bytes.IndexByte(part, 0) >= 0 {
		return errLooseRow
	}
	return nil
}
