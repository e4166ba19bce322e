package ddl

import (
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// A ForeignKey is what matters here of one: its first column, and to which column of which table
// that refers. All are quoted.
type ForeignKey struct {
	column   string
	Database string // "": its own
	Table    string
	Refers   string
}

// ParseForeignKey reads CONSTRAINT `c` FOREIGN KEY (`a`, …) REFERENCES `db`.`t` (`b`, …) ….
func ParseForeignKey(element string) (k ForeignKey, ok bool) {
	rest, ok := strings.CutPrefix(element, "CONSTRAINT ")
	if !ok {
		return k, false
	}
	if _, rest, ok = quote.CutName(rest); !ok {
		return k, false
	}
	if rest, ok = strings.CutPrefix(rest, " FOREIGN KEY ("); !ok {
		return k, false
	}
	k.column, rest, ok = quote.CutName(rest)
	for ok && strings.HasPrefix(rest, ", ") {
		_, rest, ok = quote.CutName(rest[len(", "):])
	}
	if !ok {
		return k, false
	}
	if rest, ok = strings.CutPrefix(rest, ") REFERENCES "); !ok {
		return k, false
	}
	if k.Table, rest, ok = quote.CutName(rest); ok && strings.HasPrefix(rest, ".") {
		k.Database = k.Table
		k.Table, rest, ok = quote.CutName(rest[1:])
	}
	if !ok {
		return k, false
	}
	if rest, ok = strings.CutPrefix(rest, " ("); !ok {
		return k, false
	}
	k.Refers, _, ok = quote.CutName(rest)
	return k, ok
}

func IsForeignKey(element string) bool {
	_, ok := ParseForeignKey(element)
	return ok
}
