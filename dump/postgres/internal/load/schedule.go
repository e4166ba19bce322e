package load

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// run does what one item of the dump says, or has it done: builds go on while run has returned, and
// what is quickly done waits to be sent with more of its kind. What comes after that in the dump
// finds it done.
func (s *loading) run(ctx context.Context, item dump.Item) error {
	j := &job{item: item, set: s.set}
	if item.Kind == dump.Rows {
		j.plan = s.planner.rows(item.Text)
	} else {
		j.plan = s.planner.plan(item.Text)
	}
	kind := j.plan.kind
	large := kind == builds && !s.isSmall(j.plan.touches)
	waits := (kind == builds || kind == quick && item.Kind != dump.Rows) && s.crew.concerns(j.plan.touches)
	if !s.apart && (large || waits) {
		if err := s.flush(ctx); err != nil {
			return err
		}
		return s.crew.add(ctx, j)
	}
	var err error
	switch {
	case s.apart:
	case kind == quick || kind == builds:
		err = s.crew.settled(ctx, j.plan.touches)
	case kind == runsAlone || kind == refreshes || kind == apart:
		err = s.crew.settle(ctx)
		s.apart = kind == apart
	}
	if err != nil {
		return err
	}
	if item.Kind != dump.Rows && canShare(item.Text) {
		return s.share(ctx, j)
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	if err := s.do(ctx, j); err != nil {
		return err
	}
	switch {
	case j.refused != nil:
		s.unfilled = append(s.unfilled, j.refused)
		s.cfg.Warn(fmt.Sprintf("the server does not fill a materialized view: %v", j.refused))
	case j.plan.kind == sets:
		s.set = s.set.with(assignment{j.plan.setting, item.Text})
	case item.Kind == dump.Rows:
		s.loaded = append(s.loaded, s.filling(item, j.rows))
		for _, t := range j.plan.touches {
			s.filled[t.relation] += j.bytes
		}
	}
	return nil
}

// leads tells whether the dump goes on in another database with an item, or in a new session.
func (s *loading) leads(item dump.Item) bool {
	return script.IsConnect(item.Text) || item.Database != s.at
}

// turn goes on where an item leads, once all that came before it is done.
func (s *loading) turn(ctx context.Context, item dump.Item) error {
	if err := s.mayLead(item); err != nil {
		return err
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	if err := s.crew.settle(ctx); err != nil {
		return err
	}
	if err := s.ended(); err != nil {
		return fmt.Errorf("line %d: \\connect %s: %w", item.Line, item.Database, err)
	}
	if err := s.use(ctx, item.Database); err != nil {
		return fmt.Errorf("line %d: %w", item.Line, err)
	}
	s.at = item.Database
	return nil
}

// Statements are sent together, in one transaction, up to so many, or so many bytes: each by itself
// costs a round trip and a commit, and a dump of 10,000 tables has some 100,000. A server has room
// for few locks, so there are not more.
const (
	sharedStatements = 100
	sharedBytes      = 64 << 10
)

// share keeps a statement to be sent with others.
func (s *loading) share(ctx context.Context, j *job) error {
	s.shared = append(s.shared, j)
	s.sharedSize += len(j.item.Text)
	if len(s.shared) < sharedStatements && s.sharedSize < sharedBytes {
		return nil
	}
	return s.flush(ctx)
}

// flush runs what share has kept.
func (s *loading) flush(ctx context.Context) error {
	list := s.shared
	s.shared, s.sharedSize = nil, 0
	switch len(list) {
	case 0:
		return nil
	case 1:
		return s.do(ctx, list[0])
	}
	return s.do(ctx, &job{item: list[0].item, set: list[0].set, parts: list})
}

// do runs a job on the session that the statements run on in their order. What the server refuses
// is undone, and so is nothing of the dump while nothing else was done; of what ends otherwise
// nobody knows.
func (s *loading) do(ctx context.Context, j *job) error {
	err := s.crew.do(ctx, j)
	switch {
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
