package load

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// schedule does what one item of the dump says, or has it done: builds go on while schedule has
// returned, and what is quickly done waits to be sent with more of its kind. What comes after that
// in the dump finds it done.
func (s *loading) schedule(ctx context.Context, item dump.Item) error {
	if !s.tamed(item) {
		return nil
	}
	s.statements++
	j := &job{item: item, set: s.set}
	if item.Kind == dump.Rows {
		j.plan = s.planner.rows(item.Text)
		j.spreads = !s.apart && s.cfg.Refused == nil && s.begun == 0 && s.dump.Form != script.RowsAlone && s.planner.spreads(item)
	} else {
		j.plan = s.planner.plan(item.Text)
	}
	s.workers.comes(item.Kind == dump.Rows)
	if s.holdsBack(j) {
		return nil
	}
	kind := j.plan.kind
	large := kind == builds && !s.isSmall(j.plan.touches)
	waits := (kind == builds || kind == quick && item.Kind != dump.Rows) && s.workers.conflict(j.plan.touches)
	if !s.apart && (large || waits) {
		if err := s.sendShared(ctx); err != nil {
			return err
		}
		for _, t := range j.plan.touches {
			j.over = max(j.over, s.filled[t.relation])
		}
		return s.leave(ctx, j, workBuilds)
	}
	var err error
	switch {
	case s.apart:
	case kind == quick || kind == builds:
		err = s.workers.finishConflicting(ctx, j.plan.touches)
	case kind == runsAlone || kind == refreshes || kind == apart:
		err = s.workers.finishAll(ctx)
		s.apart = kind == apart
	}
	if err != nil {
		return err
	}
	if item.Kind != dump.Rows && canShare(item.Text) {
		return s.share(ctx, j)
	}
	if err := s.sendShared(ctx); err != nil {
		return err
	}
	if err := s.runInOrder(ctx, j); err != nil {
		return err
	}
	s.noteDone(j)
	return nil
}

// What is told of while no rows pass, in the order in which it is waited for.
const (
	workBuilds     = "indexes and keys"
	workStatistics = "statistics"
)

// leave leaves a job to whoever is free, and tells of it, unless it is one that only waits for
// others.
func (s *loading) leave(ctx context.Context, j *job, what string) error {
	if j.plan.kind == quick {
		return s.workers.leave(ctx, j)
	}
	j.told = what
	work := s.work[what]
	if work.Done == work.Of { // what was left before is done, and told
		work = dump.Work{What: what}
	}
	work.Of++
	s.work[what] = work
	s.tellWork()
	return s.workers.leave(ctx, j)
}

// noteFinished is told each job that is done.
func (s *loading) noteFinished(j *job) {
	s.noteRefused(j)
	if j.told == "" {
		return
	}
	work := s.work[j.told]
	work.Done++
	s.work[j.told] = work
	s.tellWork()
}

// tellWork tells what is waited for: statistics are made beside the last builds.
func (s *loading) tellWork() {
	if work := s.work[workBuilds]; work.Done < work.Of || s.work[workStatistics].Of == 0 {
		s.cfg.Working(work)
		return
	}
	s.cfg.Working(s.work[workStatistics])
}

// noteDone keeps what later items, and the dump's end, have to know of a job that is done.
func (s *loading) noteDone(j *job) {
	switch {
	case j.plan.kind == sets:
		s.set = s.set.with(assignment{j.plan.setting, cmp.Or(j.instead, j.item.Text)})
	case j.plan.kind == refreshes && j.refused == nil:
		t := script.NewTokens(j.item.Text)
		t.Next()
		view, _ := refreshed(t)
		s.refreshed = append(s.refreshed, view.String())
	case j.item.Kind == dump.Rows && j.refused != nil:
		s.loaded = append(s.loaded, s.filling(j.item, nil))
	case j.item.Kind == dump.Rows:
		s.loaded = append(s.loaded, s.filling(j.item, &j.rows))
		for _, t := range j.plan.touches {
			s.filled[t.relation] += j.bytes
		}
	}
}

// Statements are sent together, in one transaction, up to so many, or so many bytes: each by itself
// costs a round trip and a commit, and a dump of 10,000 tables has some 100,000. A server has room
// for few locks, so there are not more.
const (
	sharedStatements = 100
	sharedBytes      = 64 << 10
)

// shareable are the beginnings of statements that do in a transaction with others what they do by
// themselves.
var shareable = []string{
	"CREATE TABLE ", "CREATE UNLOGGED TABLE ", "CREATE SEQUENCE ", "CREATE VIEW ", "CREATE INDEX ", "CREATE UNIQUE INDEX ", "CREATE FUNCTION ", "CREATE TYPE ", "CREATE TRIGGER ",
	"ALTER TABLE ", "ALTER SEQUENCE ", "ALTER INDEX ", "ALTER VIEW ", "ALTER FUNCTION ", "ALTER TYPE ", "ALTER LARGE OBJECT ",
	"COMMENT ON ", "GRANT ", "REVOKE ", "SELECT pg_catalog.setval(", "SELECT pg_catalog.lo_create(", "SELECT pg_catalog.lo_put(",
}

// canShare tells whether a statement may be sent with others: see shareable. An index that is built
// CONCURRENTLY is none that this package writes.
func canShare(sql string) bool {
	return slices.ContainsFunc(shareable, func(beginning string) bool { return strings.HasPrefix(sql, beginning) }) && !strings.Contains(sql[:min(len(sql), 40)], "CONCURRENTLY")
}

// share keeps a statement to be sent with others.
func (s *loading) share(ctx context.Context, j *job) error {
	s.shared = append(s.shared, j)
	s.sharedSize += len(j.item.Text)
	if len(s.shared) < sharedStatements && s.sharedSize < sharedBytes {
		return nil
	}
	return s.sendShared(ctx)
}

// sendShared runs what share has kept.
func (s *loading) sendShared(ctx context.Context) error {
	list := s.shared
	s.shared, s.sharedSize = nil, 0
	switch len(list) {
	case 0:
		return nil
	case 1:
		return s.runInOrder(ctx, list[0])
	}
	return s.runInOrder(ctx, &job{item: list[0].item, set: list[0].set, parts: list})
}

// runInOrder runs a job on the session that the statements run on in their order. What the server
// refuses is undone, and so is nothing of the dump while nothing else was done; of what ends
// otherwise nobody knows.
func (s *loading) runInOrder(ctx context.Context, j *job) error {
	if err := s.mayRunSingle(j); err != nil {
		return err
	}
	err := s.workers.runOnFirst(ctx, j)
	switch {
	case s.single:
		return s.stillSingle(j, err)
	case err != nil:
	case s.conn.PgConn().TxStatus() == 'I': // idle
		s.begun = 0
	case s.begun == 0:
		s.begun = j.item.Line
	}
	if err == nil && j.plan.kind != sets || err != nil && !errors.As(err, new(*pgconn.PgError)) {
		s.touched = true
	}
	return err
}

// isSmall tells whether what is built of the tables is built in no time.
func (s *loading) isSmall(touches []touch) bool {
	return !slices.ContainsFunc(touches, func(t touch) bool { return s.filled[t.relation] >= s.cfg.BuildApart })
}
