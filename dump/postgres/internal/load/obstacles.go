package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrUndroppable is returned when a database that is to be dropped cannot be. Nothing has been
// changed then.
var ErrUndroppable = errors.New("a database that is to be dropped cannot be")

// undroppableWait is how long DROP DATABASE waits for others to leave a database before it gives up
// (procarray.c, CountOtherDBBackends). A client that has just disconnected is still seen for a
// moment.
const undroppableWait = 5 * time.Second

// obstacles is what DROP DATABASE fails by (dbcommands.c, dropdb). An autovacuum it ends itself;
// who may not see of a session what it is sees that nobody is logged in there. Of a prepared
// transaction and a slot that is not in use, the former is in the way and the latter goes with its
// database.
const obstacles = `
	SELECT d.datname AS database, o.what, o.passes FROM pg_catalog.pg_database d CROSS JOIN LATERAL (
		SELECT 'it belongs to role ' || pg_catalog.pg_get_userbyid(d.datdba) AS what, false AS passes WHERE NOT pg_catalog.pg_has_role(d.datdba, 'USAGE')
		UNION ALL
		SELECT 'session ' || pid || coalesce(' of ' || usename, '') || coalesce(' (' || nullif(application_name, '') || ')', '') || ' is in it', true
		FROM pg_catalog.pg_stat_activity
		WHERE datid = d.oid AND pid <> pg_catalog.pg_backend_pid() AND CASE WHEN backend_type IS NULL THEN usesysid IS NOT NULL ELSE backend_type <> 'autovacuum worker' END
		UNION ALL
		SELECT 'it has the prepared transaction ' || gid || ' of ' || owner, false FROM pg_catalog.pg_prepared_xacts WHERE database = d.datname
		UNION ALL
		SELECT 'it has subscription ' || subname, false FROM pg_catalog.pg_subscription WHERE subdbid = d.oid
		UNION ALL
		SELECT 'replication slot ' || slot_name || ' is in use', true FROM pg_catalog.pg_replication_slots WHERE database = d.datname AND active
	) o WHERE d.datname = ANY ($1) ORDER BY 1, passes, 2`

// undroppable looks at all the databases for what would keep them from being dropped, and returns
// all that it finds as one error.
func (s *loading) undroppable(ctx context.Context, databases []string) error {
	type obstacle struct {
		Database, What string
		Passes         bool // it may be gone in a moment
	}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	enough := time.After(undroppableWait)
	for {
		rows, err := s.conn.Query(ctx, obstacles, databases)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[obstacle])
		if err != nil {
			return fmt.Errorf("look at what is to be dropped: %w", err)
		}
		if len(found) == 0 {
			return nil
		}
		var errs []error
		lasting := false
		for _, o := range found {
			errs = append(errs, fmt.Errorf("%w: database %s: %s", ErrUndroppable, o.Database, o.What))
			lasting = lasting || !o.Passes
		}
		if lasting {
			return errors.Join(errs...)
		}
		select {
		case <-again.C:
		case <-enough:
			return errors.Join(errs...)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// mayMake returns an error if the role may not make databases.
func (s *loading) mayMake(ctx context.Context) error {
	var may bool
	if err := s.conn.QueryRow(ctx, `SELECT rolsuper OR rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user`).Scan(&may); err != nil {
		return err
	}
	if !may {
		return errors.New("the dump makes databases, and the role may not: it lacks CREATEDB")
	}
	return nil
}
