package mysql

import "strings"

// A piece is a part of a table's rows, read by one query. The pieces of a
// table, one after another, are its rows in their order, wherever the cuts are.
type piece struct {
	table *table
	query string
}

// selection is the query for the rows for which the conditions hold, in their order.
func (t *table) selection(conditions ...string) string {
	columns := make([]string, len(t.columns))
	for i, c := range t.columns {
		columns[i] = c.read
	}
	if len(columns) == 0 { // a table of generated columns has rows all the same
		columns = []string{"NULL"}
	}
	var b strings.Builder
	b.WriteString("SELECT " + strings.Join(columns, ", ") + " FROM " + ident(t.db.name) + "." + t.name)
	if t.history {
		b.WriteString(" FOR SYSTEM_TIME ALL")
	}
	stored := strings.EqualFold(t.engine, "InnoDB")
	switch {
	case t.key == nil:
		// An index might hold all that is asked for, and be in another order.
		b.WriteString(" USE INDEX ()")
	case stored:
		b.WriteString(" FORCE INDEX (" + t.key.name + ")")
	}
	if len(conditions) > 0 {
		b.WriteString(" WHERE " + strings.Join(conditions, " AND "))
	}
	if t.key != nil {
		b.WriteString(" ORDER BY " + t.key.order())
	}
	return b.String()
}

// order is the key for ORDER BY.
func (k *key) order() string {
	list := make([]string, len(k.columns))
	for i, c := range k.columns {
		list[i] = c
		if k.desc[i] {
			list[i] += " DESC"
		}
	}
	return strings.Join(list, ", ")
}

// header begins an INSERT statement.
func (t *table) header() string {
	columns := make([]string, len(t.columns))
	for i, c := range t.columns {
		columns[i] = c.name
	}
	return "INSERT INTO " + t.name + " (" + strings.Join(columns, ", ") + ") VALUES\n"
}

// pieces cuts the table's rows into pieces.
func (t *table) pieces() []piece {
	return []piece{{t, t.selection()}}
}
