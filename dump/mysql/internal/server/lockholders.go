package server

import (
	"context"
	"fmt"
	"strings"
)

// locksHeld are the sessions that hold tables so that nobody else may read them. MariaDB has the
// table only where its performance schema is on.
const locksHeld = `SELECT t.processlist_id AS id, t.processlist_user AS user, t.processlist_host AS host, t.processlist_time AS secs,
	CONCAT(m.object_schema, '.', m.object_name) AS what
	FROM performance_schema.metadata_locks m JOIN performance_schema.threads t ON t.thread_id = m.owner_thread_id
	WHERE m.object_type = 'TABLE' AND m.lock_status = 'GRANTED' AND m.lock_type IN ('EXCLUSIVE', 'SHARED_NO_READ_WRITE')
	AND t.processlist_id <> CONNECTION_ID() ORDER BY secs DESC LIMIT 5`

// sessions are those who use a database, for servers that do not tell who holds what.
const sessions = `SELECT id, user, host, time AS secs, db AS what FROM information_schema.processlist
	WHERE db IS NOT NULL AND id <> CONNECTION_ID() ORDER BY time DESC LIMIT 5`

// LockHolders says who holds, or may hold, the tables that somebody has waited for in vain, as far
// as that can be seen; else the empty string. Statements are not told: they hold what may be
// anybody's secret.
func (c *Conn) LockHolders(ctx context.Context) string {
	for _, q := range []struct{ query, verb, begin string }{{locksHeld, "holds", "in the way may be"}, {sessions, "uses", "it may be"}} {
		rows, err := c.List(ctx, q.query)
		if err != nil || len(rows) == 0 {
			continue
		}
		var who []string
		for _, r := range rows {
			who = append(who, fmt.Sprintf("session %s of %+q from %+q %s %+q (for %s s)", r["id"], r["user"], r["host"], q.verb, r["what"], r["secs"]))
		}
		return q.begin + ": " + strings.Join(who, "; ")
	}
	return ""
}
