package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A tuning is what the sessions of a load have set beyond what the dump says, for its speed alone.
// What the connection's own settings say, or those of its role or database, stays as it is.
type tuning struct {
	setUp   string // statements for each session
	sets    bool   // max_parallel_maintenance_workers may be set
	durable string // statements for the end, after which all that was committed is on the server's disk; empty: it is
}

// mostMemory is how much each session sorts in at most, in bytes. A larger sort gains little from
// more.
const mostMemory = 1 << 30

// findTuning finds out what the server allows in a session's database.
//
// maintenance_work_mem, in which an index is sorted, is 64 MB where nobody has said anything, and
// is raised to the session's share of a quarter of the memory that the server can spare: what its
// machine and its containers have left, where the role may read that, or else what it has for its
// buffers. It is never lowered. Indexes of 1.5 and 5 million rows took 12.5 s of the server's
// processors in place of 13.9 s so, and without parallel workers (see session.parallel).
//
// synchronous_commit is off: a load commits often, and what is half there after a crash is worth
// nothing.
func findTuning(ctx context.Context, s *session, jobs int) (tuning, error) {
	found, err := s.row(ctx, `SELECT pg_catalog.has_function_privilege('pg_catalog.pg_read_file(text, bigint, bigint, boolean)', 'EXECUTE'),
		(SELECT setting::bigint * 8192 FROM pg_catalog.pg_settings WHERE name = 'shared_buffers'),
		(SELECT setting FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem' AND source NOT IN ('client', 'user', 'database', 'database user')),
		(SELECT setting FROM pg_catalog.pg_settings WHERE name = 'max_parallel_maintenance_workers' AND source NOT IN ('client', 'user', 'database', 'database user')),
		(SELECT setting FROM pg_catalog.pg_settings WHERE name = 'synchronous_commit' AND source NOT IN ('client', 'user', 'database', 'database user'))`)
	if err != nil {
		return tuning{}, fmt.Errorf("read the server's settings: %w", err)
	}
	spare, _ := strconv.ParseInt(found[1], 10, 64)
	if found[0] == "t" {
		if free, err := s.freeMemory(ctx); err != nil {
			return tuning{}, err
		} else if free > 0 {
			spare = free
		}
	}
	t := tuning{sets: found[3] != "" && jobs > 1}
	if now, err := strconv.ParseInt(found[2], 10, 64); err == nil { // in kB
		if share := min(spare/4/int64(jobs), mostMemory) >> 10; share > now {
			t.setUp += fmt.Sprintf("SET maintenance_work_mem = %d; ", share)
		}
	}
	if commit := found[4]; commit != "" && commit != "off" {
		t.setUp += "SET synchronous_commit = off; "
		// A commit that has written nothing before waits for nothing, and whatever was committed
		// before something else is on the disk with it. A message is what every role may write, in
		// any database, without leaving something there.
		t.durable = "SET synchronous_commit = " + server.Literal(commit) + "; SELECT pg_catalog.pg_logical_emit_message(true, 'breaking-backups', ''::pg_catalog.text)"
	}
	return t, nil
}

// tune sets up a session that joins.
func (s *loading) tune(ctx context.Context, joins *session) error {
	if s.tuning == nil {
		found, err := findTuning(ctx, joins, s.cfg.Jobs)
		if err != nil {
			return err
		}
		s.tuning = &found
		s.durable = cmp.Or(found.durable, s.durable)
	}
	joins.tuning = *s.tuning
	if joins.tuning.setUp == "" {
		return nil
	}
	if err := server.Exec(ctx, joins.conn.PgConn(), joins.tuning.setUp); err != nil {
		return fmt.Errorf("set up the session: %w", err)
	}
	return nil
}

// settle has the server put on its disk what the load has committed.
func (s *loading) settle(ctx context.Context) error {
	if s.durable == "" {
		return nil
	}
	if err := server.Exec(ctx, s.conn.PgConn(), s.durable); err != nil {
		s.allElse = true
		return fmt.Errorf("have the server write to its disk what was loaded, which a crash may undo until it does so by itself: %w", err)
	}
	return nil
}

// row returns the one row that a query gives, null as the empty string.
func (s *session) row(ctx context.Context, sql string) ([]string, error) {
	results, err := s.conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return nil, errors.New("the server's answer is not what was asked for")
	}
	var texts []string
	for _, value := range results[0].Rows[0] {
		texts = append(texts, string(value))
	}
	return texts, nil
}

// parallel lets what the session builds next have parallel workers of the server's, or keeps it
// from having them. Beside others they take their processors, and the workers' sorts pass through
// files: a build has them only where nothing else is to be done.
func (s *session) parallel(ctx context.Context, may bool) error {
	if !s.tuning.sets || s.serial != may {
		return nil
	}
	sql := "SET max_parallel_maintenance_workers = 0"
	if may {
		sql = "RESET max_parallel_maintenance_workers"
	}
	if err := server.Exec(ctx, s.conn.PgConn(), sql); err != nil {
		return err
	}
	s.serial = !may
	return nil
}
