package mysql

import (
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// A definition is a CREATE TABLE statement as the server shows it, taken apart:
// what stands before the parenthesis, the columns, keys and constraints in it,
// and the options behind it.
type definition struct {
	head     string   // CREATE TABLE `t` (
	elements []string // without the commas between them
	tail     string   // ) ENGINE=InnoDB …
}

// parseDefinition takes a statement apart. The servers write each element in a
// line of its own, but a line feed may also stand within an expression or a
// comment.
func parseDefinition(sql string) (definition, error) {
	var d definition
	begin, depth := 0, 0
	for i := 0; i < len(sql); i++ {
		switch c := sql[i]; c {
		case '`', '\'', '"':
			end := quote.End(sql, i)
			if end < 0 {
				return d, fmt.Errorf("the server's definition ends within quotes")
			}
			i = end
		case '(':
			if depth++; depth == 1 && d.head == "" {
				d.head, begin = sql[:i+1], i+1
			}
		case ',':
			if depth == 1 {
				d.elements = append(d.elements, strings.TrimSpace(sql[begin:i]))
				begin = i + 1
			}
		case ')':
			if depth--; depth == 0 {
				d.elements = append(d.elements, strings.TrimSpace(sql[begin:i]))
				d.tail = sql[i:]
				return d, nil
			}
		}
	}
	return d, fmt.Errorf("the server's definition of the table has no end")
}

// String is the statement, without the semicolon.
func (d definition) String() string {
	return d.head + "\n  " + strings.Join(d.elements, ",\n  ") + "\n" + d.tail
}

// uniqueKeys returns the quoted names of the unique keys in the order of the definition.
func (d definition) uniqueKeys() []string {
	var names []string
	for _, e := range d.elements {
		if strings.HasPrefix(e, "PRIMARY KEY") {
			names = append(names, "`PRIMARY`")
		}
		if rest, ok := strings.CutPrefix(e, "UNIQUE KEY "); ok {
			names = append(names, rest[:quote.End(rest, 0)+1])
		}
	}
	return names
}

// within returns the definition for a table of whatever database it is made in:
// MariaDB shows the database of a sequence from which a column takes its default.
func (d definition) within(db string) definition {
	prefix := "(" + quote.Name(db) + ".`"
	elements := make([]string, len(d.elements))
	for i, e := range d.elements {
		for at := 0; strings.Contains(e[at:], prefix) && at < len(e); at++ {
			switch e[at] {
			case '`', '\'', '"':
				at = quote.End(e, at)
			case '(':
				if strings.HasPrefix(e[at:], prefix) {
					e = e[:at+1] + e[at+len(prefix)-1:]
				}
			}
		}
		elements[i] = e
	}
	d.elements = elements
	return d
}
