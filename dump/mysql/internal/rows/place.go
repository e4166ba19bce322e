package rows

import (
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/value"
)

// A place is one between two rows of a piece.
type place struct {
	after string // a condition that holds for the rows behind it; "": for all of the piece
	skip  int64  // how many of these come before it
}

// behind returns the place behind a row, which is the nth from here on.
func (p place) behind(t *catalog.Table, row []driver.Value, n int64) place {
	if after, ok := beyond(t, row); ok {
		return place{after: after}
	}
	return place{p.after, p.skip + n}
}

// conditions are those of the rows from the place on, of a piece with its own.
func (p place) conditions(own []string) []string {
	if p.after == "" {
		return own
	}
	return append(slices.Clone(own), p.after)
}

// beyond is the condition that holds for the rows behind this one. There is none where nothing but
// counting finds it.
func beyond(t *catalog.Table, row []driver.Value) (string, bool) {
	literals, ok := keyOf(t, row)
	if !ok {
		return "", false
	}
	k := t.Key
	condition := ""
	for i := len(k.Columns) - 1; i >= 0; i-- {
		than := " > "
		if k.Desc[i] {
			than = " < "
		}
		here := k.Columns[i] + than + literals[i]
		if condition != "" {
			// The first part says nothing new, but where the server may begin. So does the
			// equality: without it the server begins at the first of the rows that have the same in
			// this column, and passes over those that were read.
			from, same := k.Columns[i]+strings.TrimRight(than, " ")+"= "+literals[i], k.Columns[i]+" = "+literals[i]
			here = from + " AND (" + here + " OR " + same + " AND (" + condition + "))"
		}
		condition = here
	}
	return condition, true
}

// rowItself is the condition that holds for a row alone, where there is one.
func rowItself(t *catalog.Table, row []driver.Value) (string, bool) {
	literals, ok := keyOf(t, row)
	if !ok {
		return "", false
	}
	for i, name := range t.Key.Columns {
		literals[i] = name + " = " + literals[i]
	}
	return strings.Join(literals, " AND "), true
}

// keyOf returns a row's key as constants for a condition, where the server compares these as it
// orders the key.
func keyOf(t *catalog.Table, row []driver.Value) ([]string, bool) {
	if t.Key == nil {
		return nil, false
	}
	list := make([]string, len(t.Key.Columns))
	for i, name := range t.Key.Columns {
		at := slices.IndexFunc(t.Columns, func(c catalog.Column) bool { return c.Name == name })
		if at < 0 {
			return nil, false
		}
		var ok bool
		if list[i], ok = constant(&t.Columns[at], row[at]); !ok {
			return nil, false
		}
	}
	return list, true
}

// constant is a value of the column as the server compares it with others of the column by their
// order. Of some types it does not, as of ENUM, or takes not every value that it has, as of dates.
func constant(c *catalog.Column, sent driver.Value) (string, bool) {
	text, isText := sent.([]byte)
	switch c.Type {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "year", "decimal", "uuid", "inet4", "inet6":
	case "date", "datetime", "timestamp":
		if len(text) < len(time.DateOnly) {
			return "", false
		}
		if _, err := time.Parse(time.DateOnly, string(text[:len(time.DateOnly)])); err != nil {
			return "", false
		}
	case "binary", "varbinary":
	case "char", "varchar":
		if c.Form != value.Text || !utf8.Valid(text) {
			return "", false
		}
	default:
		return "", false
	}
	switch v := sent.(type) {
	case int64:
		return strconv.FormatInt(v, 10), true
	case uint64:
		return strconv.FormatUint(v, 10), true
	}
	if !isText || !c.Form.Holds(text) {
		return "", false
	}
	return string(c.Form.Append(nil, text, c.Charset)), true
}
