package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// A Record is a row of a query, by the names of its columns in lower case: what is NULL is not in
// it. SHOW statements differ in what columns they have, and the two families in how they write
// them.
type Record map[string]string

// Has tells whether the column is there and is not NULL.
func (r Record) Has(name string) bool {
	_, ok := r[name]
	return ok
}

// List reads the rows of a query.
func (c *Conn) List(ctx context.Context, query string) ([]Record, error) {
	rows, err := c.sql.QueryContext(ctx, query)
	if err != nil {
		return nil, c.Explain(ctx, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for i, n := range names {
		names[i] = strings.ToLower(n)
	}
	values := make([]sql.NullString, len(names))
	into := make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	var list []Record
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, c.Explain(ctx, err)
		}
		r := make(Record, len(names))
		for i, v := range values {
			if v.Valid {
				r[names[i]] = v.String
			}
		}
		list = append(list, r)
	}
	return list, c.Explain(ctx, rows.Err())
}

// Firsts reads the first column of a query, whatever its name.
func (c *Conn) Firsts(ctx context.Context, query string) ([]string, error) {
	rows, err := c.sql.QueryContext(ctx, query)
	if err != nil {
		return nil, c.Explain(ctx, err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var text sql.NullString
		if err := rows.Scan(&text); err != nil {
			return nil, c.Explain(ctx, err)
		}
		list = append(list, text.String)
	}
	return list, c.Explain(ctx, rows.Err())
}

// ErrCount is returned where the server counts another number than it has listed.
var ErrCount = errors.New("the server counts more, or less, than it lists")

// Counted returns an error if a list has not as many entries as the server counts with the query.
func (c *Conn) Counted(ctx context.Context, what string, listed int, query string) error {
	var n int
	if err := c.Row(ctx, query, &n); err != nil {
		return fmt.Errorf("count %s: %w", what, err)
	}
	if n != listed {
		return fmt.Errorf("%w: %d %s, of which it lists %d", ErrCount, n, what, listed)
	}
	return nil
}

// ListCounted lists and counts. Between the two somebody may make one, so it is tried three times.
func (c *Conn) ListCounted(ctx context.Context, what, query, count string) (rows []Record, err error) {
	for range 3 {
		if rows, err = c.List(ctx, query); err != nil {
			return nil, err
		}
		if err = c.Counted(ctx, what, len(rows), count); !errors.Is(err, ErrCount) {
			return rows, err
		}
	}
	return nil, err
}
