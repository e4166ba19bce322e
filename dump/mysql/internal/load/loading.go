package load

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Run runs a dump's statements, rows and indexes on several connections and all else in its order
// on one. Whatever stands in the way is found before anything is changed; an error after that is a
// *dump.PartialError.
//
// The load may be waiting for the next item while a session of its fails: fail is called then, once
// or several times. It ends ctx, and after it the wait: see dump.Interruptible. The error is the
// session's. Whatever Run has opened and started is closed and has ended when it returns, the items
// have not been asked for more, and whoever gives them closes what he reads them from.
func Run(ctx context.Context, cfg Config, items iter.Seq2[dump.Item, error], fail context.CancelCauseFunc) error {
	s := newLoading(cfg, fail)
	err := s.load(ctx, s.part(ctx, items))
	if err != nil {
		fail(err)
		err = context.Cause(ctx) // what failed first
	}
	s.disconnect()
	left := dump.Left(s.touched, s.gone)
	if err == nil {
		err, left = s.refusals.end(), dump.AllElse
	}
	if err == nil {
		if s.compared != nil {
			cfg.Compared(*s.compared)
		}
		return nil
	}
	err = fmt.Errorf("restore: %w", err)
	if left != "" {
		return &dump.PartialError{Err: err, Left: left}
	}
	return err
}

// A loading is one Load under way.
type loading struct {
	cfg      Config
	plan     plan // nil: the head has not come
	conn     *server.Conn
	srv      server.Info
	session  script.SessionMode      // as the dump has set it
	mode     script.Mode             // in which the session reads text
	packet   int                     // the longest statement that the server takes, in bytes
	database string                  // that is used
	into     []string                // databases that room was made in
	gone     []string                // what Clean has dropped so far
	touched  bool                    // something of the dump is there, or may be
	fail     context.CancelCauseFunc // of what the load runs in
	compared *dump.Comparison        // nil: nothing was
	refusals *refusals
	unset    map[string]bool            // settings that the session lacks, as the server has refused them
	taken    taken                      // what the session that the statements run in has loaded last
	used     string                     // the database that the dump uses
	others   map[[2]string]bool         // databases and names that the dump could not make anything of, as they were taken
	nowhere  bool                       // the database that the dump uses is not to be had
	living   map[string]bool            // databases of the target that held something before anything of the dump came
	filled   map[string]map[string]bool // by databases of the target, the tables that rows came for
	told     map[string]bool            // those of them of whose defaults it was told

	recalculates bool     // the server makes the statistics of InnoDB's tables by itself
	toAnalyze    []string // tables that it makes none of

	// count is told of each INSERT how many rows the server took, by several goroutines: of our
	// dumps it is nativeDump.count, of mysqldump's nobody counts. It keeps nothing of sql.
	count func(sql string, rows int64)
}

func newLoading(cfg Config, fail context.CancelCauseFunc) *loading {
	return &loading{cfg: cfg, fail: fail, refusals: newRefusals(cfg.Refused), unset: make(map[string]bool), others: make(map[[2]string]bool), living: make(map[string]bool), told: make(map[string]bool), filled: make(map[string]map[string]bool)}
}

// A plan is what differs between this program's dumps and mysqldump's.
type plan interface {
	// route refuses a statement that leads where the dump may not go, and takes note of the
	// databases that it names. It is asked of every statement, with or without a server, and of
	// each before it runs.
	route(sql []byte) error
	// read takes note of a statement that does not run: it is read without a server.
	read(sql []byte)
	// run runs a statement, or has it run; native, one that only this program runs.
	run(ctx context.Context, st statement) error
	native(ctx context.Context, st statement) error
	// end is called after the last statement. whole is what of that needs no server: it returns an
	// error for a dump that is not as it says of itself, or the databases that it has named on its
	// way.
	end(ctx context.Context, contents *dump.Contents) error
	whole(contents *dump.Contents) (named []string, err error)
	// close waits for what still runs, which is soon when the context is cancelled.
	close()
}

// errHeadless is returned of items that do not begin with a head.
var errHeadless = errors.New("the dump does not say what it is")

// begin makes the plan for a dump with that head, or says why it may not go where it is to.
func (s *loading) begin(head dump.Head) error {
	if head.Form == "" {
		tool := &toolDump{loading: s}
		s.plan, s.count = tool, func(string, int64) {}
		return tool.notes(head.Notes)
	}
	own, err := newNativeDump(s, head)
	if err != nil {
		return err
	}
	s.plan, s.count = own, own.count
	return nil
}

func (s *loading) disconnect() {
	if s.plan != nil {
		s.plan.close()
	}
	if s.conn != nil {
		s.conn.Close()
	}
}

// load takes the dump's items, up to its manifest.
func (s *loading) load(ctx context.Context, items iter.Seq2[dump.Item, error]) error {
	for item, err := range items {
		if err == nil {
			err = s.take(ctx, item)
		}
		if err != nil || item.Contents != nil {
			return err
		}
	}
	return dump.ErrTruncated
}

func (s *loading) take(ctx context.Context, item dump.Item) error {
	switch {
	case item.Head != nil:
		if err := s.begin(*item.Head); err != nil {
			return err
		}
		return s.connect(ctx)
	case s.plan == nil:
		return errHeadless
	case item.Contents != nil:
		if err := s.plan.end(ctx, item.Contents); err != nil {
			return err
		}
		if err := s.warnOfOrphans(ctx); err != nil {
			return err
		}
		return s.analyze(ctx)
	case item.Kind == dump.Rows && s.nowhere:
		return s.passOver(item, errNoDatabase)
	case item.Kind == dump.Rows && s.refusals.lacks(item.Table):
		return s.passOver(item, errNoTable)
	case item.Kind == dump.Rows && len(s.unset) > 0:
		return s.passOver(item, errUnset)
	}
	if item.Kind == dump.Rows {
		s.fill(item)
	}
	for st, err := range statements(item) {
		if err == nil {
			err = atLine(st.line, s.step(ctx, st))
		}
		if err != nil {
			return err
		}
		if !s.refusals.lacks(st.table) {
			s.unanalyzed(item)
		}
	}
	return nil
}

// step does what one statement of the dump says.
func (s *loading) step(ctx context.Context, st statement) error {
	if !st.ours && script.IsComment(st.sql, s.mode) { // to this server, and to the one of the dump it is none
		return nil
	}
	if s.refusals.goesOn() {
		return s.attempt(ctx, st)
	}
	err := s.run(ctx, st)
	if err == nil && s.cfg.Part != nil && s.cfg.Part.DataOnly { // into tables that may have rows
		err = s.checkUnique(ctx, st)
	}
	return err
}

// run runs a statement.
func (s *loading) run(ctx context.Context, st statement) error {
	if st.ours {
		return s.plan.native(ctx, st)
	}
	sets := st.setsMode()
	if sets {
		s.session.Set(string(st.sql))
	}
	err := s.withoutView(ctx, st, s.plan.run(ctx, st))
	if sets && err == nil {
		err = s.readMode(ctx)
	}
	return err
}

// atLine adds to an error of a statement where in the dump it is.
func atLine(line int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("line %d: %w", line, err)
}

// prepare makes room for the dump where it goes. named are the databases of a dump of several.
func (s *loading) prepare(ctx context.Context, named []string) error {
	p, err := s.place(ctx, named)
	if err != nil {
		return err
	}
	s.into = append(s.into, p.target.Databases...)
	p.target.Databases = s.into
	s.cfg.Into(p.target)
	if ctx.Err() != nil { // it may be that whoever was told does not want it
		return context.Cause(ctx)
	}
	if err := s.clear(ctx, p); err != nil || s.cfg.Part == nil {
		return err
	}
	return s.lookForLiving(ctx, p.target.Databases)
}
