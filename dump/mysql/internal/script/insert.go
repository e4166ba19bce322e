package script

import (
	"bytes"
	"iter"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// The rows of a table are in a dump as INSERT statements of one form, by which a restore knows
// them: a line with the names of the columns, and a line for each row.

const insertInto = "INSERT INTO "

// InsertLimit is how many bytes of rows a statement has at most, unless one row is longer.
const InsertLimit = 1 << 20

// InsertInto is what comes before the first row. The names are quoted.
func InsertInto(table string, columns []string) string {
	return insertInto + table + " (" + strings.Join(columns, ", ") + ") VALUES\n"
}

// IsInsert tells whether a statement inserts rows into a table, as it is written here.
func IsInsert(sql string) bool { return strings.HasPrefix(sql, insertInto+"`") }

// InsertedInto returns the quoted name of the table that an INSERT is for, and its rows, as they
// are written here: a line each, with RowGap between them. A name may have line feeds, a row has
// none.
func InsertedInto(sql string) (table, rows string) {
	i := len(insertInto)
	end := quote.End(sql, i) + 1
	if end == 0 {
		return "", ""
	}
	table, i = sql[i:end], end
	for ; i < len(sql); i++ {
		switch sql[i] {
		case '`':
			if i = quote.End(sql, i); i < 0 {
				return table, ""
			}
		case '\n':
			return table, sql[i+1:]
		}
	}
	return table, ""
}

// RowGap stands between two rows of a statement.
const RowGap = ",\n"

// Lines parts the rows that InsertedInto returns.
func Lines(rows []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(rows) > 0 {
			row, rest, _ := bytes.Cut(rows, []byte("\n"))
			if len(rest) > 0 {
				row = bytes.TrimSuffix(row, []byte(","))
			}
			if !yield(row) {
				return
			}
			rows = rest
		}
	}
}

// Loads returns the table that a statement of mysqldump's loads rows into, as it is named there, or
// tells that it is none of those: INSERT or REPLACE.
func Loads(sql []byte) (table string, ok bool) {
	if !hasWord(sql, "insert") && !hasWord(sql, "replace") {
		return "", false
	}
	t := &tokens{rest: sql}
	t.next()
	for {
		switch t.next() {
		case "low_priority", "delayed", "high_priority", "ignore":
			continue
		case "into":
			t.next()
			table = t.word
			if t.qualifies() {
				t.next()
				t.next()
				table += "." + t.word
			}
			return table, true
		}
		return "", false
	}
}
