package rows

import (
	"database/sql/driver"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
)

// isUnwritable tells whether a value is one that no INSERT takes: the empty one of a column of
// geometries or vectors that was added as NOT NULL to a table with rows. It is what the servers put
// into such a column where an INSERT does not name it, in a session that is not strict.
func isUnwritable(c *catalog.Column, value driver.Value) bool {
	text, ok := value.([]byte)
	return ok && len(text) == 0 && c.NeverEmpty
}

// headerFor begins an INSERT statement for a row with such a value; "": it has none.
func headerFor(t *catalog.Table, row []driver.Value) string {
	i := 0
	for i < len(t.Columns) && !isUnwritable(&t.Columns[i], row[i]) {
		i++
	}
	if i == len(t.Columns) {
		return ""
	}
	var columns []catalog.Column
	for i, c := range t.Columns {
		if !isUnwritable(&c, row[i]) {
			columns = append(columns, c)
		}
	}
	return insertHeader(t.Name, columns)
}
