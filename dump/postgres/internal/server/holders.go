package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
)

// ErrRecoveryConflict is returned, within a dump.PassingError, of a dump that a standby has ended
// because it kept the primary's changes from being applied.
var ErrRecoveryConflict = errors.New("the standby ended the dump, which stood in the way of the primary's changes")

// Explain adds to an error what the server does not say of it: who holds a lock that was waited
// for, or that a standby goes on with what its primary sends. open opens a session beside.
func Explain(ctx context.Context, srv Info, err error, open func(context.Context) (*pgx.Conn, error)) error {
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case HasCode(err, "55P03"): // lock_not_available
		return fmt.Errorf("%w%s", err, inTheWay(ctx, open))
	case srv.Standby && HasCode(err, "40001", "40P01", "57P01") && strings.Contains(err.Error(), "conflict with recovery"):
		return &dump.PassingError{Err: fmt.Errorf("%w: %w", ErrRecoveryConflict, err)}
	}
	return err
}

// holders are the sessions that keep everybody else out of one of a database's relations, the
// oldest first.
const holders = `
	SELECT l.pid, coalesce(a.usename, '?'), coalesce(a.application_name, ''), coalesce(a.state, '?'), a.xact_start,
	       pg_catalog.min(n.nspname || '.' || c.relname)
	FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
	WHERE l.granted AND l.locktype = 'relation' AND l.pid <> pg_catalog.pg_backend_pid()
	  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
	  AND n.nspname !~ '^pg_' AND l.mode = 'AccessExclusiveLock'
	GROUP BY 1, 2, 3, 4, 5 ORDER BY 5 NULLS LAST, 1 LIMIT 5`

// inTheWay names the sessions that hold a database's relations locked, as far as they can be seen,
// as the end of an error. Statements are not told: they hold what may be anybody's secret.
func inTheWay(ctx context.Context, open func(context.Context) (*pgx.Conn, error)) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // the error does not wait for more
	defer cancel()
	conn, err := open(ctx)
	if err != nil {
		return ""
	}
	defer HangUp(conn)
	rows, err := conn.Query(ctx, holders)
	if err != nil {
		return ""
	}
	type holder struct {
		PID                  int32
		User, Program, State string
		Since                *time.Time
		Relation             string
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[holder])
	if err != nil || len(found) == 0 {
		return ""
	}
	var who []string
	for _, h := range found {
		text := fmt.Sprintf("process %d of %+q (%+q, %s) holds %+q", h.PID, h.User, h.Program, h.State, h.Relation)
		if h.Since != nil {
			text += " in a transaction since " + h.Since.UTC().Format(time.DateTime+" UTC")
		}
		who = append(who, text)
	}
	return "; in the way may be: " + strings.Join(who, "; ")
}
