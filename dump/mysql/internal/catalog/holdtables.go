package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// MariaDB evaluates constants when it only looks at a view: a function of its owner's that calls
// itself deterministic runs, as whoever looks, where the view has ROUND(1.5, f()). It looks at a
// view when it is asked to show it or its columns, and when information_schema is asked for more of
// its tables than names and types, without a word of which. So nothing here names a view but what
// readViews has read the text of before, and nothing takes a name for that of a table that somebody
// else may have given to a view meanwhile:
//
//   - information_schema is asked for names and types, which takes a look at files alone, and then
//     for tables by name,
//   - those tables are held, by a statement that no view takes and in a transaction, until all has
//     been asked of them,
//   - and every query of rows has an index hint, which no view takes either, if only for a GROUP BY
//     that is not there.
//
// MySQL has what information_schema tells in tables of its own, and evaluates nothing of a view
// that is only shown.

// heldAtOnce is how many tables are held together: few enough for others not to notice, and enough
// for the number of queries not to matter.
const heldAtOnce = 200

// entries lists what a database has by way of tables, by name and type. No table and no view is
// opened for it.
func (c *Reader) entries(ctx context.Context, db string) ([]server.Record, error) {
	return c.Conn.List(ctx, "SELECT table_name AS name, table_type AS type FROM information_schema.tables WHERE "+c.Conn.DatabaseIs("table_schema", db))
}

// holding calls look with a condition on table_name for some of a database's tables after others,
// until it was called with all, while these cannot become something else.
func (c *Reader) holding(ctx context.Context, db string, names []string, look func(names []string, condition string) error) error {
	if !c.Conn.IsMariaDB() {
		return look(names, "")
	}
	for len(names) > 0 {
		some := names[:min(heldAtOnce, len(names))]
		names = names[len(some):]
		if err := c.hold(ctx, db, some, look); err != nil {
			return err
		}
	}
	return nil
}

func (c *Reader) hold(ctx context.Context, db string, names []string, look func(names []string, condition string) error) error {
	touch, list := make([]string, len(names)), make([]string, len(names))
	for i, n := range names {
		touch[i] = "(SELECT 1 FROM " + quote.Name(db) + "." + quote.Name(n) + " USE INDEX () LIMIT 0)"
		list[i] = quote.Literal(n)
	}
	if err := c.Conn.Exec(ctx, "START TRANSACTION READ ONLY"); err != nil {
		return err
	}
	err := c.touch(ctx, touch)
	if err == nil {
		// As bytes, or a view would be meant too whose name differs in case.
		err = look(names, " AND CAST(table_name AS BINARY) IN ("+strings.Join(list, ", ")+")")
	}
	if end := c.Conn.Exec(ctx, "ROLLBACK"); err == nil {
		err = end
	}
	return err
}

// touch opens tables, all at once or, where one cannot be opened, one after another. What is wrong
// with such a one the look at it says; but what is no table any more is not looked at.
func (c *Reader) touch(ctx context.Context, queries []string) error {
	_, err := c.Conn.List(ctx, strings.Join(queries, " UNION ALL "))
	switch {
	case err == nil:
		return nil
	case len(queries) > 1 && server.ErrorNumber(err) != 0:
		for _, q := range queries {
			if err := c.touch(ctx, []string{q}); err != nil {
				return err
			}
		}
		return nil
	case server.IsError(err, server.CodeNoSuchKey, server.CodeNoSuchTable, server.CodeViewInvalid):
		return fmt.Errorf("%w: %w", ErrChanged, err)
	case server.ErrorNumber(err) == 0 || server.IsError(err, server.CodeLockWaitTimeout, server.CodeDeadlock):
		return err
	}
	return nil
}
