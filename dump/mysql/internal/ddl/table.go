// Package ddl takes the servers' CREATE TABLE statements apart, and tells what a dump and a restore
// have to know of one: which of its keys can come after the rows, what it computes in a time zone,
// what a server may refuse of it, and what this program has never seen.
//
// It reads text alone. What a table is besides its definition is for package catalog.
package ddl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// A Table is a CREATE TABLE statement as the server shows it, taken apart: what stands before the
// parenthesis, the columns, keys and constraints in it, and the options behind it.
type Table struct {
	Head     string   // CREATE TABLE `t` (
	Elements []string // without the commas between them
	Tail     string   // ) ENGINE=InnoDB …
}

// ParseTable takes a statement apart. The servers write each element in a line of its own, but a
// line feed may also stand within an expression or a comment.
func ParseTable(sql string) (Table, error) {
	var d Table
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
			if depth++; depth == 1 && d.Head == "" {
				d.Head, begin = sql[:i+1], i+1
			}
		case ',':
			if depth == 1 {
				d.Elements = append(d.Elements, strings.TrimSpace(sql[begin:i]))
				begin = i + 1
			}
		case ')':
			if depth--; depth == 0 {
				d.Elements = append(d.Elements, strings.TrimSpace(sql[begin:i]))
				d.Tail = sql[i:]
				return d, nil
			}
		}
	}
	return d, fmt.Errorf("the server's definition of the table has no end")
}

// String is the statement, without the semicolon.
func (d Table) String() string {
	return d.Head + "\n  " + strings.Join(d.Elements, ",\n  ") + "\n" + d.Tail
}

// UniqueKeys returns the quoted names of the unique keys in the order of the definition.
func (d Table) UniqueKeys() []string {
	var names []string
	for _, e := range d.Elements {
		if strings.HasPrefix(e, "PRIMARY KEY") {
			names = append(names, "`PRIMARY`")
		}
		if rest, ok := strings.CutPrefix(e, "UNIQUE KEY "); ok {
			names = append(names, rest[:quote.End(rest, 0)+1])
		}
	}
	return names
}

// Within returns the definition for a table of whatever database it is made in: MariaDB shows the
// database of a sequence from which a column takes its default.
func (d Table) Within(db string) Table {
	prefix := "(" + quote.Name(db) + ".`"
	elements := make([]string, len(d.Elements))
	for i, e := range d.Elements {
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
	d.Elements = elements
	return d
}

func (d Table) HasPrimaryKey() bool {
	return slices.ContainsFunc(d.Elements, func(e string) bool { return strings.HasPrefix(e, "PRIMARY KEY ") })
}

// Without returns the definition without some of its elements.
func (d Table) Without(elements []string) Table {
	d.Elements = slices.DeleteFunc(slices.Clone(d.Elements), func(e string) bool { return slices.Contains(elements, e) })
	return d
}
