package mysql

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// locksHeld are the sessions that hold tables so that nobody else may read them. MariaDB has the table only where its
// performance schema is on.
const locksHeld = `SELECT t.processlist_id AS id, t.processlist_user AS user, t.processlist_host AS host, t.processlist_time AS secs,
	CONCAT(m.object_schema, '.', m.object_name) AS what
	FROM performance_schema.metadata_locks m JOIN performance_schema.threads t ON t.thread_id = m.owner_thread_id
	WHERE m.object_type = 'TABLE' AND m.lock_status = 'GRANTED' AND m.lock_type IN ('EXCLUSIVE', 'SHARED_NO_READ_WRITE')
	AND t.processlist_id <> CONNECTION_ID() ORDER BY secs DESC LIMIT 5`

// sessions are those who use a database, for servers that do not tell who holds what.
const sessions = `SELECT id, user, host, time AS secs, db AS what FROM information_schema.processlist
	WHERE db IS NOT NULL AND id <> CONNECTION_ID() ORDER BY time DESC LIMIT 5`

// explain adds to an error of a lock that was waited for who holds it, as far as that can be seen. Statements are not
// told: they hold what may be anybody's secret.
func (s *Source) explain(ctx context.Context, err error) error {
	if !isError(err, errLockWaitTimeout) || ctx.Err() != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, 5*time.Second) // the error does not wait for more
	defer cancel()
	c, openErr := s.open(asking)
	if openErr != nil {
		return err
	}
	defer c.close()
	for _, q := range []struct{ query, verb, begin string }{{locksHeld, "holds", "in the way may be"}, {sessions, "uses", "it may be"}} {
		rows, listErr := c.list(asking, q.query)
		if listErr != nil || len(rows) == 0 {
			continue
		}
		var who []string
		for _, r := range rows {
			who = append(who, fmt.Sprintf("session %s of %+q from %+q %s %+q (for %s s)", r["id"], r["user"], r["host"], q.verb, r["what"], r["secs"]))
		}
		return fmt.Errorf("%w; %s: %s", err, q.begin, strings.Join(who, "; "))
	}
	return err
}
