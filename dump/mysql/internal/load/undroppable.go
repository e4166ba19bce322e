package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// ErrUndroppable is returned when a database that is to be dropped, or emptied, cannot be. Nothing
// has been changed then.
var ErrUndroppable = errors.New("a database that is to be dropped cannot be")

// undroppable looks at all that is to be dropped for what would keep it from that: rights, locks
// that others hold, a server that takes no writes.
func (s *loading) undroppable(ctx context.Context, p placement) error {
	databases := slices.Concat(p.dropped, p.emptied)
	partly := make(map[string][]string) // the tables of databases of which only some are dropped
	for _, o := range p.objects {
		if o.kind == "TABLE" {
			partly[o.database] = append(partly[o.database], o.name)
		}
	}
	for db := range partly {
		databases = append(databases, db)
	}
	if len(databases) == 0 {
		return nil
	}
	me, err := s.conn.Holder(ctx)
	switch {
	case server.ErrorNumber(err) != 0: // a server that knows no rights (skip-grant-tables)
	case err != nil:
		return fmt.Errorf("read what the account may do: %w", err)
	default:
		var errs []error
		for _, db := range databases {
			if !me.May(db, "DROP") && (slices.Contains(p.dropped, db) || !me.HasTables(db)) {
				errs = append(errs, fmt.Errorf("%w: database %s: the account lacks a right: GRANT DROP ON %s.* TO %s", ErrUndroppable, db, quote.Name(db), me.Name))
			}
		}
		if len(errs) > 0 {
			return errors.Join(errs...)
		}
	}
	for _, db := range databases {
		tables, part := partly[db]
		if !part {
			if tables, err = s.conn.ObjectsOf(ctx, db, "TABLE"); err != nil {
				return err
			}
		}
		if err := s.lockable(ctx, db, tables); err != nil {
			return fmt.Errorf("%w: database %s: %w", ErrUndroppable, db, err)
		}
	}
	return nil
}

// inTheWay are the errors of LOCK TABLES that DROP ends with too. By others, as of a trigger that
// has lost its tables, nothing is known of DROP.
var inTheWay = []uint16{server.CodeLockWaitTimeout, server.CodeDeadlock, server.CodeOptionPrevents, server.CodeReadOnlyMode}

// lockable has the server lock a database's tables as DROP does, and let go of them again: it waits
// for others that hold one, up to the lock timeout.
func (s *loading) lockable(ctx context.Context, db string, tables []string) error {
	const atOnce = 500
	for some := range slices.Chunk(tables, atOnce) {
		names := make([]string, len(some))
		for i, name := range some {
			names[i] = quote.Name(db) + "." + quote.Name(name) + " WRITE"
		}
		err := s.conn.Exec(ctx, "LOCK TABLES "+strings.Join(names, ", "))
		if server.IsError(err, inTheWay...) || err != nil && server.ErrorNumber(err) == 0 {
			return err
		}
		if err := s.conn.Exec(ctx, "UNLOCK TABLES"); err != nil {
			return err
		}
	}
	return nil
}
