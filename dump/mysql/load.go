package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unsafe"

	"github.com/go-sql-driver/mysql"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// LoadConfig says where a dump goes.
type LoadConfig struct {
	Server
	// Database is the one that a dump of one database goes into. It must exist.
	// A dump of several makes them by their names, and Database must be empty.
	Database string
	// Clean drops everything in the target databases first. Without it a
	// database that is not empty is refused.
	Clean bool
	// LockTimeout bounds the wait for whoever holds something locked that Clean
	// has to drop. 0 means the server's own bound.
	LockTimeout time.Duration
	// Jobs is the number of connections that load rows and build indexes, besides
	// the one that runs all else. 0 means 2; 1 means everything in its order on one.
	Jobs int
	// Into is told where the dump goes and what is dropped there, after everything
	// that could stand in the way was looked at and before anything is changed; of
	// mysqldump's dump of several databases that was not verified, again for each.
	// nil means nobody.
	Into func(dump.Target)
	// Compared is told, of a load that succeeded, what was found to be as the dump's
	// manifest says. mysqldump's has none: of that it is told nothing. nil means nobody.
	Compared func(dump.Comparison)
	// Warn is told what an operator should know of a load that succeeded.
	// nil means nobody.
	Warn func(string)
}

// A Loader loads a dump into databases. It holds no connection between loads.
type Loader struct {
	cfg  LoadConfig
	conn *mysql.Config
	// What Verify has found, if it has read the dump before.
	seen    []string // databases that mysqldump's dump makes: its head does not tell
	longest int      // the length of the longest statement that cannot be split, in bytes
}

// NewLoader reads the configuration and connects to nothing. An error is one of
// configuration and names the setting.
func NewLoader(cfg LoadConfig) (*Loader, error) {
	cc, err := cfg.Server.Driver()
	if err != nil {
		return nil, fmt.Errorf("mysql settings: %w", err)
	}
	if (server.Info{}).IsSystemSchema(cfg.Database) {
		return nil, fmt.Errorf("mysql settings: database %s is the server's own", cfg.Database)
	}
	if cfg.Warn == nil {
		cfg.Warn = func(string) {}
	}
	if cfg.Into == nil {
		cfg.Into = func(dump.Target) {}
	}
	if cfg.Compared == nil {
		cfg.Compared = func(dump.Comparison) {}
	}
	if cfg.Jobs == 0 {
		cfg.Jobs = 2
	}
	if cfg.Jobs < 0 {
		return nil, fmt.Errorf("mysql settings: %d jobs: at least 1 expected", cfg.Jobs)
	}
	return &Loader{cfg: cfg, conn: cc}, nil
}

var (
	// ErrNotEmpty is returned for a target database that holds something and
	// may not be cleaned.
	ErrNotEmpty = errors.New("the database is not empty")
	// ErrSeveral is returned when a dump that makes its databases itself is to
	// go into one named database.
	ErrSeveral = errors.New("the dump makes its databases by their own names, and goes into a server and not into one database")
	// ErrNoName is returned when a dump of one database is to go into a server.
	ErrNoName = errors.New("the dump is of one database and does not name it; name the one that it goes into")
	// ErrOtherFamily is returned for a dump of MariaDB that is to go into MySQL,
	// or the reverse.
	ErrOtherFamily = errors.New("MySQL and MariaDB do not take each other's dumps")
)

// Load runs a dump's statements, rows and indexes on several connections and all
// else in its order on one. See dump.Loader. Whatever stands in the way is found
// before anything is changed. An error after that says so: the target then holds
// a part of the dump. A reader that can be closed is closed when the load fails,
// so that nobody waits for what it would still bring.
//
// A dump of mysqldump or mariadb-dump is taken as well. It has no manifest, and
// its last line is all that tells a whole one.
func (l *Loader) Load(ctx context.Context, r io.Reader) error {
	s, err := l.begin(r)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	s.fail = fail
	defer dump.CloseWith(ctx, r)()
	if err = s.load(ctx); err != nil {
		fail(err)
		err = context.Cause(ctx) // what failed first
	}
	s.disconnect()
	if err == nil {
		if s.compared != nil {
			l.cfg.Compared(*s.compared)
		}
		return nil
	}
	err = fmt.Errorf("restore: %w", err)
	if left := dump.Left(s.touched, s.gone); left != "" {
		return &dump.PartialError{Err: err, Left: left}
	}
	return err
}

// begin looks at a dump's first bytes.
func (l *Loader) begin(r io.Reader) (*loading, error) {
	s := &loading{Loader: l, took: func(string, int64) {}}
	r, foreign, err := sniff(r)
	if err != nil {
		return nil, err
	}
	if foreign {
		s.plan = &foreignDump{loading: s}
		s.dump = script.NewReader(r, 0)
		return s, nil
	}
	vouched, name, err := dump.NewReader(r)
	if err != nil {
		return nil, err
	}
	switch {
	case name != note.One && name != note.Several:
		return nil, fmt.Errorf("this is a dump of %s, not of %s", name, note.One)
	case name == note.One && l.cfg.Database == "":
		return nil, ErrNoName
	case name == note.Several && l.cfg.Database != "":
		return nil, fmt.Errorf("into %s: %w", l.cfg.Database, ErrSeveral)
	}
	own := &ownDump{loading: s, inserted: make(map[string]inserted)}
	s.plan, s.took = own, own.count
	s.dump = script.NewReader(vouched, 0)
	return s, nil
}

// A loading is one Load under way.
type loading struct {
	*Loader
	dump     *script.Reader
	plan     plan
	conn     *server.Conn
	srv      server.Info
	mode     script.Mode // in which the session reads text
	packet   int         // the longest statement that the server takes, in bytes
	database string      // that is used
	into     []string    // databases that room was made in
	gone     []string    // what Clean has dropped so far
	touched  bool        // something of the dump is there, or may be
	fail     context.CancelCauseFunc
	compared *dump.Comparison // nil: nothing was

	// took is told of each INSERT how many rows the server took, by several goroutines. It keeps nothing of sql.
	took func(sql string, rows int64)
}

// A plan is what differs between this program's dumps and mysqldump's.
type plan interface {
	// note takes note of a comment, and returns the statement that it holds, if it
	// is one that only this program runs. native runs that.
	note(text string) (native string, err error)
	native(ctx context.Context, item script.Item) error
	// route refuses a statement that leads where the dump may not go, and takes note
	// of the databases that it names. It is asked of every statement, with or without
	// a server, and of each before it runs.
	route(sql []byte) error
	// read takes note of a statement that does not run: it is read without a server.
	read(sql []byte)
	// statement runs a statement, or has it run.
	statement(ctx context.Context, item script.Item) error
	// end is called after the last statement. whole is what of that needs no server:
	// it returns an error for a dump that is cut short or not as it says of itself, or
	// the databases that it has named on its way.
	end(ctx context.Context) error
	whole() (named []string, err error)
	// close waits for what still runs, which is soon when the context is cancelled.
	close()
}

func (s *loading) disconnect() {
	s.plan.close()
	if s.conn != nil {
		s.conn.Close()
	}
}

// open opens a session of the load.
func (l *Loader) open(ctx context.Context) (*server.Conn, error) {
	return server.Open(ctx, l.conn, server.ForLoad, l.cfg.LockTimeout)
}

// connect opens the session in which the statements run.
func (s *loading) connect(ctx context.Context) (err error) {
	if s.conn, err = s.open(ctx); err != nil {
		return err
	}
	s.srv = s.conn.Info
	s.conn.WarnOfPlain(s.cfg.Warn, s.cfg.Server)
	if err := s.conn.Row(ctx, "SELECT @@max_allowed_packet", &s.packet); err != nil {
		return fmt.Errorf("read the server's max_allowed_packet: %w", err)
	}
	if s.longest > s.packet-server.PacketHead {
		return fmt.Errorf("a row of the dump: %w", server.NewPacketError(s.longest, s.packet))
	}
	return nil
}

// load runs the dump's items.
func (s *loading) load(ctx context.Context) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	if err := s.tellMode(ctx); err != nil {
		return err
	}
	for {
		item, err := s.dump.Next()
		if err == io.EOF {
			return s.plan.end(ctx)
		}
		if err != nil {
			return err
		}
		if item.Kind == script.Comment {
			err = s.comment(ctx, item)
		} else {
			err = s.plan.statement(ctx, item)
		}
		if err == nil && item.SetsMode {
			err = s.tellMode(ctx)
		}
		if err != nil {
			return atLine(item.Line, err)
		}
	}
}

func (s *loading) comment(ctx context.Context, item script.Item) error {
	native, err := s.plan.note(string(item.Text))
	if native == "" || err != nil {
		return err
	}
	return s.plan.native(ctx, script.Item{Line: item.Line, Text: []byte(native)})
}

// atLine adds to an error of a statement where in the dump it is.
func atLine(line int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("line %d: %w", line, err)
}

// run runs an item's statement, in parts where it is too long for the server.
func (s *loading) run(ctx context.Context, item script.Item) error {
	for part := range script.Split(item.Text, s.packet-server.PacketHead, s.mode) {
		err := s.exec(ctx, s.conn, borrowed(part))
		// What the server refuses is not done; of what ends otherwise nobody knows.
		if err == nil && !script.IsSetting(part) || err != nil && server.ErrorNumber(err) == 0 {
			s.touched = true
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// prepare makes room for the dump where it goes. named are the databases of a dump
// of several.
func (s *loading) prepare(ctx context.Context, named []string) error {
	p, err := s.place(ctx, named)
	if err != nil {
		return err
	}
	s.into = append(s.into, p.target.Databases...)
	p.target.Databases = s.into
	s.cfg.Into(p.target)
	return s.clear(ctx, p)
}

// borrowed is a statement's text without a copy, for as long as the reader of the dump leaves it alone.
func borrowed(sql []byte) string { return unsafe.String(unsafe.SliceData(sql), len(sql)) }

// exec runs a statement, and tells took of an INSERT. It keeps nothing of sql.
func (s *loading) exec(ctx context.Context, c *server.Conn, sql string) error {
	if len(sql)+1 > s.packet { // behind a byte that says what it is
		return statementError(sql, server.NewPacketError(len(sql), s.packet))
	}
	rows, err := c.Change(ctx, sql)
	if err != nil {
		return statementError(sql, err)
	}
	if script.IsInsert(sql) {
		s.took(sql, rows)
	}
	return nil
}

// tellMode tells the reader how the session reads text.
func (s *loading) tellMode(ctx context.Context) error {
	var mode string
	if err := s.conn.Row(ctx, "SELECT @@sql_mode", &mode); err != nil {
		return err
	}
	s.mode = script.SQLMode(mode) | readsAs(s.srv)
	s.dump.SetMode(s.mode)
	return nil
}

// statementError says which statement failed.
func statementError(sql string, err error) error {
	var me *mysql.MySQLError
	if errors.As(err, &me) && me.Number == server.CodeParse {
		// The server quotes what follows; a row has no place in a log.
		short := *me
		short.Message, _, _ = strings.Cut(me.Message, " near '")
		err = &short
	}
	return fmt.Errorf("%s: %w", script.Head(sql), err)
}
