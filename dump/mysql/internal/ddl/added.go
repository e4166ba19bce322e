package ddl

import (
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// AddedElements returns what a statement of AddElements adds to which table, quoted.
func AddedElements(sql string) (table string, elements []string, ok bool) {
	rest, ok := strings.CutPrefix(sql, "ALTER TABLE ")
	if ok {
		table, rest, ok = quote.CutName(rest)
	}
	if ok {
		rest, ok = strings.CutPrefix(rest, "\n  ADD ")
	}
	if !ok {
		return "", nil, false
	}
	for {
		at := quote.Index(rest, ",\n  ADD ")
		if at < 0 {
			return table, append(elements, rest), true
		}
		elements, rest = append(elements, rest[:at]), rest[at+len(",\n  ADD "):]
	}
}

// SequencesOf returns the sequences that a table of MariaDB's takes defaults from, each by the
// quoted names of its database, where the definition has one, and its own.
func (d Table) SequencesOf() [][2]string {
	var names [][2]string
	for _, e := range d.Elements {
		for _, call := range []string{"nextval(", "lastval("} {
			for rest := e; ; {
				at := quote.Index(rest, call)
				if at < 0 {
					break
				}
				rest = rest[at+len(call):]
				first, behind, ok := quote.CutName(rest)
				if !ok {
					continue
				}
				name := [2]string{"", first}
				if second, _, ok := quote.CutName(strings.TrimPrefix(behind, ".")); ok && strings.HasPrefix(behind, ".") {
					name = [2]string{first, second}
				}
				names = append(names, name)
			}
		}
	}
	return names
}
