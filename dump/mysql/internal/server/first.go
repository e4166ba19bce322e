package server

import (
	"context"
	"database/sql"
)

// First reads the first column of a query's first row. found is false where there is no row, and
// the value's Valid where it is NULL.
func (c *Conn) First(ctx context.Context, query string) (value sql.NullString, found bool, err error) {
	rows, err := c.sql.QueryContext(ctx, query)
	if err != nil {
		return value, false, c.Explain(ctx, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return value, false, err
	}
	into := make([]any, len(names))
	for i := range into {
		into[i] = new(sql.RawBytes)
	}
	if len(into) > 0 {
		into[0] = &value
	}
	if found = rows.Next(); found {
		if err := rows.Scan(into...); err != nil {
			return value, false, c.Explain(ctx, err)
		}
	}
	return value, found, c.Explain(ctx, rows.Err())
}

// Exceeded tells whether the last answer had more bytes than the connection takes.
func (c *Conn) Exceeded() bool { return c.answer != nil && c.answer.read.Load() > c.answer.most }
