package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// lock takes the weakest lock on every table that will be dumped, so that none is dropped or
// altered until the dump's transaction ends.
func (c *Database) lock(ctx context.Context) error {
	const batch = 1000
	var names []string
	flush := func() error {
		if len(names) == 0 {
			return nil
		}
		_, err := c.conn.Exec(ctx, "LOCK TABLE "+strings.Join(names, ", ")+" IN ACCESS SHARE MODE")
		names = names[:0]
		return lockError(err)
	}
	for _, r := range c.Tables {
		if r.Kind != plainTable && r.Kind != partitionedTable {
			continue
		}
		if names = append(names, "ONLY "+r.Name); len(names) == batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// lockError adds to the server's words what an operator can do.
func lockError(err error) error {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return err
	}
	switch pe.Code {
	case "55P03": // lock_not_available
		return fmt.Errorf("lock the tables: somebody holds one of them locked for longer than the lock timeout: %w", err)
	case "42P01", "3F000": // undefined_table, invalid_schema_name
		return fmt.Errorf("lock the tables: one %w: %w", ErrGone, err)
	case "42501": // insufficient_privilege
		return fmt.Errorf("lock the tables: %w", &server.RightError{Lacks: "the role may not read one of them; GRANT SELECT ON it TO the role, GRANT USAGE ON its SCHEMA, or for all at once GRANT pg_read_all_data (14 and later)", Err: err})
	}
	return fmt.Errorf("lock the tables: %w", server.LockRoom(err))
}
