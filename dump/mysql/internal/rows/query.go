package rows

import (
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
)

// selected are the expressions that are asked of the server for each row: those of the columns.
func selected(t *catalog.Table) []string {
	if len(t.Columns) == 0 { // a table of generated columns has rows all the same
		return []string{"NULL"}
	}
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = c.Read
	}
	return columns
}

// queryOf is one for the rows for which the conditions hold, in their order. where says where what
// is selected goes.
func queryOf(t *catalog.Table, selected []string, where string, conditions []string) string {
	query := "SELECT " + strings.Join(selected, ", ") + where + t.Source()
	if len(conditions) > 0 {
		query += " WHERE " + strings.Join(conditions, " AND ")
	}
	if t.Key != nil {
		query += " ORDER BY " + orderBy(t.Key)
	}
	return query
}

// orderBy is the key for ORDER BY.
func orderBy(k *catalog.Key) string {
	list := make([]string, len(k.Columns))
	for i, c := range k.Columns {
		list[i] = c
		if k.Desc[i] {
			list[i] += " DESC"
		}
	}
	return strings.Join(list, ", ")
}

// insertHead begins an INSERT statement.
func insertHead(t *catalog.Table) string { return insertHeader(t.Name, t.Columns) }
