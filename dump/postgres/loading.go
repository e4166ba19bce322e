package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A loadConfig says where a dump goes.
type loadConfig struct {
	// Conn is the connection, in the database that a dump of one goes into.
	Conn *pgx.ConnConfig
	// Named is the database that was named for the dump, whatever else the connection is of; empty: none was.
	Named string
	// Several says that the configuration is of several databases: only Named is a place for a dump of one.
	Several bool
	// Clean drops everything in the target first. Without it a database that is not empty is refused.
	Clean bool
	// NoOwner leaves out who owns what, NoPrivileges GRANT and REVOKE.
	NoOwner, NoPrivileges bool
	// LockTimeout bounds the wait for whoever holds locked what Clean has to drop. 0 means no bound.
	LockTimeout time.Duration
	// Jobs is the number of connections, at least 1.
	Jobs int
	// BuildApart is how many bytes of rows a table has at least for what is built of them to be built beside other work.
	BuildApart int64
	// Into is told where the dump goes before anything is changed, Compared what was found to be as the manifest says, Warn
	// what an operator should know.
	Into     func(dump.Target)
	Compared func(dump.Comparison)
	Warn     func(string)
}

// ErrNotEmpty is returned for a target database that holds something and may
// not be cleaned.
var ErrNotEmpty = errors.New("the database is not empty")

// ErrWholeCluster is returned when a dump of a whole cluster is to go into one
// named database.
var ErrWholeCluster = errors.New("the dump holds a whole cluster, which goes into a server and not into one database")

// ErrDataOnly is returned when a dump without definitions is to go into a
// database that is to be emptied first.
var ErrDataOnly = errors.New("the dump holds rows alone, which go into tables that exist")

// runLoad runs a dump's statements, indexes and keys on several connections and all
// else in its order on one. Whatever stands in the way is found
// before anything is changed. An error after that says so: the target then holds
// a part of the dump. A reader that can be closed is closed when the load fails,
// so that nobody waits for what it would still bring.
func runLoad(ctx context.Context, cfg loadConfig, r io.Reader) error {
	vouched, name, err := dump.NewReader(r)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := cfg.accepts(name); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	s := &loading{cfg: cfg, dump: script.NewReader(vouched), form: name, fail: fail}
	defer dump.CloseWith(ctx, r)()
	if err = s.load(ctx); err != nil {
		fail(err)
		err = context.Cause(ctx) // what failed first
	}
	s.disconnect()
	if err == nil {
		cfg.Compared(dump.Comparison{Tables: len(s.manifest), Rows: s.manifest.Rows()})
		return nil
	}
	err = fmt.Errorf("restore: %w", err)
	if left := dump.Left(s.touched, s.gone); left != "" {
		return &dump.PartialError{Err: err, Left: left}
	}
	return err
}

// A loading is one Load under way.
type loading struct {
	cfg        loadConfig
	form       string // what the dump says it is: script.OneDatabase, script.RowsAlone, script.Cluster
	dump       *script.Reader
	conn       *pgx.Conn // that the statements run on in their order
	crew       *crew     // of the present database
	planner    planner
	set        settings // what the statements so far have set
	apart      bool     // all that follows runs on conn
	begun      int      // the line of the statement that began the transaction that conn is in; 0: it is in none
	fail       context.CancelCauseFunc
	filled     map[string]int64 // bytes of rows by table, of the present database
	shared     []*job           // not yet sent
	sharedSize int              // bytes of their text
	database   string           // the present one, where the dump says which
	loaded     []filling        // by the COPYs, in the order of the stream
	manifest   dump.Manifest
	trailer    dump.Trailer
	damaged    error   // of the comments since the last statement
	unfilled   []error // of the materialized views that the server does not fill

	databases []string // that a dump of a cluster makes or fills
	gone      []string // what Clean has dropped so far
	touched   bool     // something of the dump is there, or may be
}

// load runs the dump's items. Where they go is settled before the first statement.
func (s *loading) load(ctx context.Context) error {
	prepared := false
	for {
		item, err := s.dump.Next()
		switch {
		case err == io.EOF:
			return s.end(ctx)
		case err != nil:
			return err
		case item.Kind == script.Comment:
			s.note(item, prepared)
			continue
		case !prepared:
			if s.damaged != nil {
				return s.damaged
			}
			if err := s.prepare(ctx); err != nil {
				return err
			}
			prepared = true
		}
		s.noteStatement()
		if item.Kind == script.Statement && s.cfg.skips(item.Text) {
			continue
		}
		if err := s.run(ctx, item); err != nil {
			return err
		}
	}
}

// prepare makes room for the dump where it goes.
func (s *loading) prepare(ctx context.Context) error {
	p, err := s.place(ctx)
	if err != nil {
		return err
	}
	s.cfg.Into(p.target)
	return s.clear(ctx, p)
}

// note keeps what a comment of the dump tells, where it tells it: databases are
// named before the first statement, and the manifest stands behind the last. What
// looks like either elsewhere is a comment like any other.
func (s *loading) note(item script.Item, begun bool) {
	if name, ok, err := script.ParseDatabaseLine(item.Text); ok {
		if begun {
			return
		}
		if err != nil {
			s.spoilt(item, err)
		}
		s.databases = append(s.databases, name)
		return
	}
	t, ok, err := dump.ParseTable(item.Text)
	if err != nil {
		s.spoilt(item, err)
	}
	if ok {
		s.manifest = append(s.manifest, t)
		return
	}
	last, ok, err := dump.ParseTrailer(item.Text)
	if err != nil {
		s.spoilt(item, err)
	}
	if ok {
		s.trailer = last
	}
}

// noteStatement forgets what was noted of comments before a statement: a manifest ends its dump.
func (s *loading) noteStatement() { s.manifest, s.trailer, s.damaged = nil, dump.Trailer{}, nil }

// spoilt notes an error of a comment, which counts if that comment does.
func (s *loading) spoilt(item script.Item, err error) {
	if s.damaged == nil {
		s.damaged = fmt.Errorf("line %d: %w", item.Line, err)
	}
}

// use goes on in another database.
func (s *loading) use(ctx context.Context, database string) error {
	s.disconnect()
	first, err := s.connect(ctx, database)
	if err != nil {
		return err
	}
	join := func(ctx context.Context) (*session, error) { return s.connect(ctx, database) }
	s.conn, s.crew = first.conn, newCrew(first, s.cfg.Jobs, join, s.fail, s.cfg.Warn)
	s.filled, s.begun = map[string]int64{}, 0
	s.set, s.apart = nil, s.cfg.Jobs == 1
	s.enter(database)
	return nil
}

// connect opens a session of the load.
func (s *loading) connect(ctx context.Context, database string) (*session, error) {
	conn, srv, err := server.Connect(ctx, s.cfg.Conn, database, server.ForLoading(s.cfg.LockTimeout))
	if err != nil {
		return nil, err
	}
	return &session{conn: conn, srv: srv}, nil
}

func (s *loading) disconnect() {
	if s.crew != nil {
		s.crew.close()
		s.crew = nil
	}
}

// run does what one item of the dump says, or has it done: builds go on while
// run has returned, and what is quickly done waits to be sent with more of its
// kind. What comes after that in the dump finds it done.
func (s *loading) run(ctx context.Context, item script.Item) error {
	j := &job{item: item, set: s.set}
	switch item.Kind {
	case script.Connect:
		if err := leads(s.form, s.databases, item.Text); err != nil {
			return fmt.Errorf("line %d: %w", item.Line, err)
		}
		if err := s.flush(ctx); err != nil {
			return err
		}
		if err := s.crew.settle(ctx); err != nil {
			return err
		}
		if err := s.ended(); err != nil {
			return fmt.Errorf("line %d: \\connect %s: %w", item.Line, item.Text, err)
		}
		if err := s.use(ctx, item.Text); err != nil {
			return fmt.Errorf("line %d: %w", item.Line, err)
		}
		return nil
	case script.Copy:
		j.plan = s.planner.rows(item.Text)
	default:
		j.plan = s.planner.plan(item.Text)
	}
	kind := j.plan.kind
	large := kind == builds && !s.isSmall(j.plan.touches)
	waits := (kind == builds || kind == quick && item.Kind != script.Copy) && s.crew.concerns(j.plan.touches)
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
	if item.Kind == script.Statement && canShare(item.Text) {
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
	case item.Kind == script.Copy:
		s.loaded = append(s.loaded, s.filling(item, j.rows))
		for _, t := range j.plan.touches {
			s.filled[t.relation] += j.bytes
		}
	}
	return nil
}

// Statements are sent together, in one transaction, up to so many, or so many
// bytes: each by itself costs a round trip and a commit, and a dump of 10,000
// tables has some 100,000. A server has room for few locks, so there are not more.
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

// do runs a job on the session that the statements run on in their order. What the
// server refuses is undone, and so is nothing of the dump while nothing else was
// done; of what ends otherwise nobody knows.
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

// ended returns an error if the statements so far leave a transaction open, which the server undoes with the session.
func (s *loading) ended() error {
	if s.begun == 0 {
		return nil
	}
	return fmt.Errorf("the transaction that line %d begins is never committed, so that what the dump does from there on is undone", s.begun)
}

// end waits for what is still being built, and compares.
func (s *loading) end(ctx context.Context) error {
	if s.crew != nil {
		if err := s.flush(ctx); err != nil {
			return err
		}
		if err := s.crew.settle(ctx); err != nil {
			return err
		}
		if err := s.ended(); err != nil {
			return err
		}
	}
	return errors.Join(s.compare(), s.unfilledError())
}

// unfilledError names the materialized views that the server has refused to fill.
func (s *loading) unfilledError() error {
	if len(s.unfilled) == 0 {
		return nil
	}
	return fmt.Errorf("the server does not fill %d materialized views, and all else is there: %w", len(s.unfilled), errors.Join(s.unfilled...))
}
