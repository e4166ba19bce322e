package script

import (
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
