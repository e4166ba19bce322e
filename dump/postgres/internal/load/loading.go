// Package load is how a dump comes into a server: what it says it is and where it goes, what stands
// in its way there and is dropped, its statements on one session in their order, and those that may
// run beside others on several, rows passed on as they come; and what was loaded held against the
// manifest. It knows the statements that this program's dumps are made of, and takes any other for
// one that runs alone.
//
// A dump comes as items (see dump.Item), of a whole one or chosen from it; what they are read from,
// and who closes that, the load does not know. Nor does it know the catalogues: what a target has,
// and how that is dropped, is handed in (see Target).
package load

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Run runs a dump's statements, indexes and keys on several connections, on which the rows of large
// tables go too, and all else in its order on one. Whatever stands in the way is found before
// anything is changed. An error after that says so: the target then holds a part of the dump.
//
// Who waits: Run for the next item, and a goroutine of its own for the next rows. Neither wait is
// Run's to end, as it does not know what the items are read from. So it calls fail as soon as it
// has failed, perhaps more than once and from several goroutines. That ends ctx, and after it both
// waits: see dump.Interruptible. Run returns when all that it has begun has ended.
func Run(ctx context.Context, cfg Config, items iter.Seq2[dump.Item, error], fail context.CancelCauseFunc) error {
	s := &loading{cfg: cfg, fail: fail}
	err := s.load(ctx, items)
	if err != nil {
		fail(err)
		err = context.Cause(ctx) // what failed first
	}
	s.disconnect()
	if err == nil {
		cfg.Compared(dump.Comparison{Tables: len(s.manifest), Rows: s.manifest.Rows(), Of: s.manifest})
		return nil
	}
	err = fmt.Errorf("restore: %w", err)
	left := dump.Left(s.touched, s.gone)
	if s.allElse {
		left = dump.AllElse
	}
	switch {
	case s.unsure:
		return &dump.PartialError{Err: err, Left: allOrNothing}
	case left != "":
		return &dump.PartialError{Err: err, Left: left}
	case s.single:
		return fmt.Errorf("%w; the transaction is undone, and nothing is changed", err)
	}
	return err
}

// A loading is one Run under way.
type loading struct {
	cfg        Config
	dump       dump.Head // its form is script.OneDatabase, script.RowsAlone or script.Cluster
	conn       *pgx.Conn // that the statements run on in their order
	workers    *workers  // of the present database
	planner    planner
	set        settings                // what the statements so far have set
	apart      bool                    // all that follows runs on conn
	begun      int                     // the line of the statement that began the transaction that conn is in; 0: it is in none
	fail       context.CancelCauseFunc // and interrupts the items
	filled     map[string]int64        // bytes of rows by table, of the present database
	refreshed  []string                // its materialized views
	analysing  []*job                  // of the present database, begun beside its last builds
	shared     []*job                  // not yet sent
	sharedSize int                     // bytes of their text
	at         string                  // the database that the last item was for
	database   string                  // the present one, where the dump says which
	loaded     []filling               // by the COPYs, in the order of the stream
	manifest   dump.Manifest           // at the dump's end
	tuning     *tuning                 // of the present database; nil: the server has not been asked yet
	durable    string                  // what has to be said in the end, see tuning
	work       map[string]dump.Work    // that is left to whoever is free, by what is told of it
	unfilled   []error                 // of the materialized views that the server does not fill, of a load that does not go on behind anything else

	statements, refused int           // how many there were, and how many of them the server has refused
	missing             dump.Manifest // tables whose rows are not there
	absent              error         // why the present database was not to be entered

	single bool   // the transaction that everything goes in was begun
	held   []*job // what is not undone with it, for its end
	unsure bool   // whether it was committed

	gone    []string // what Clean has dropped so far
	touched bool     // something of the dump is there, or may be
	allElse bool     // all of it is but what the error names
}

// load runs the dump's items. Where they go is settled before the first statement.
func (s *loading) load(ctx context.Context, items iter.Seq2[dump.Item, error]) error {
	prepared := false
	for item, err := range items {
		switch {
		case err != nil:
			return err
		case item.Head != nil:
			if err := s.begin(*item.Head); err != nil {
				return err
			}
			continue
		case item.Contents != nil:
			return s.end(ctx, item.Contents)
		case s.dump.Form == "":
			return dump.ErrNotADump // a sequence without a head
		case !prepared:
			if err := s.prepare(ctx); err != nil {
				return err
			}
			prepared = true
		}
		if s.leads(item) {
			if err := s.turn(ctx, item); err != nil {
				return err
			}
		}
		if script.IsConnect(item.Text) || item.Kind != dump.Rows && s.cfg.skips(item.Text) {
			continue
		}
		if s.absent != nil {
			if err := s.passOver(ctx, item); err != nil {
				return err
			}
			continue
		}
		if err := s.schedule(ctx, item); err != nil {
			return err
		}
	}
	return dump.ErrTruncated // a sequence that vouches for nothing
}

// begin takes in what the dump says of itself.
func (s *loading) begin(head dump.Head) error {
	s.dump = head
	return s.cfg.accepts(head.Form)
}

// prepare makes room for the dump where it goes.
func (s *loading) prepare(ctx context.Context) error {
	p, err := s.place(ctx)
	if err != nil {
		return err
	}
	s.cfg.Into(p.target)
	if ctx.Err() != nil { // it may be that whoever was told does not want it
		return context.Cause(ctx)
	}
	// Whoever was told may have thought about it for hours, beside a session that did nothing.
	if err := server.Exec(ctx, s.conn.PgConn(), ""); err != nil {
		return fmt.Errorf("nothing was changed: the session has ended since it looked at the target: %w", err)
	}
	if s.cfg.SingleTransaction {
		return s.beginSingle(ctx, p)
	}
	return s.clear(ctx, p)
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
	if err := s.analyseBeside(ctx); err != nil {
		return err
	}
	if err := s.finish(ctx); err != nil {
		return err
	}
	if err := s.ended(); err != nil {
		return fmt.Errorf("line %d: \\connect %s: %w", item.Line, item.Database, err)
	}
	if err := s.analyse(ctx); err != nil {
		return err
	}
	s.at, s.absent = item.Database, nil
	if err := s.use(ctx, item.Database); err != nil {
		return s.passBy(ctx, item, err)
	}
	return nil
}

// finish has everything done that was scheduled.
func (s *loading) finish(ctx context.Context) error {
	if s.workers == nil {
		return nil
	}
	if err := s.sendShared(ctx); err != nil {
		return err
	}
	return s.workers.finishAll(ctx)
}

// use goes on in another database.
func (s *loading) use(ctx context.Context, database string) error {
	s.disconnect()
	s.tuning = nil
	first, err := s.connect(ctx, database)
	if err != nil {
		return err
	}
	join := func(ctx context.Context) (*session, error) { return s.connect(ctx, database) }
	s.conn, s.workers = first.conn, newWorkers(first, s.cfg.Jobs, join, s.fail, s.cfg.Warn, s.noteFinished)
	s.filled, s.refreshed, s.begun, s.work = map[string]int64{}, nil, 0, map[string]dump.Work{}
	s.set, s.apart = nil, s.cfg.Jobs == 1
	s.enter(database)
	return nil
}

// isIn tells whether the session is in a database. Who stays in it needs no second session, which a
// role may not have while the server still ends the first one.
func (s *loading) isIn(database string) bool {
	return s.conn != nil && s.conn.Config().Database == database
}

// connect opens a session of the load.
func (s *loading) connect(ctx context.Context, database string) (*session, error) {
	conn, srv, err := server.Connect(ctx, s.cfg.Conn, database, server.ForLoading(s.cfg.LockTimeout))
	if err != nil {
		return nil, err
	}
	join := &session{conn: conn, srv: srv, goesOn: s.cfg.Refused != nil, single: s.cfg.SingleTransaction, silent: s.cfg.DisableTriggers && s.dump.Form == script.RowsAlone}
	if err := s.tune(ctx, join); err != nil {
		join.close()
		return nil, err
	}
	return join, nil
}

func (s *loading) disconnect() {
	if s.workers != nil {
		s.workers.close()
		s.workers = nil
	}
}

// ended returns an error if the statements so far leave a transaction open, which the server undoes
// with the session.
func (s *loading) ended() error {
	if s.begun == 0 || s.single {
		return nil
	}
	return fmt.Errorf("the transaction that line %d begins is never committed, so that what the dump does from there on is undone", s.begun)
}

// end waits for what is still being built, and compares. A dump that is whole is analysed.
func (s *loading) end(ctx context.Context, contents *dump.Contents) error {
	s.manifest = contents.Tables
	if err := s.analyseBeside(ctx); err != nil {
		return err
	}
	if err := s.finish(ctx); err != nil {
		return err
	}
	if err := s.ended(); err != nil {
		return err
	}
	if err := s.compare(); err != nil {
		return errors.Join(err, s.incomplete())
	}
	if err := s.commitSingle(ctx); err != nil {
		return err
	}
	if err := s.analyse(ctx); err != nil {
		return err
	}
	if s.workers != nil {
		if err := s.settle(ctx); err != nil {
			return err
		}
	}
	err := s.incomplete()
	s.allElse = err != nil
	return err
}
