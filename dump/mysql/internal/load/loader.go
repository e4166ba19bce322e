// Package load is how a dump comes back: what of it runs where and in which order, the sessions
// that load rows and build indexes, the room that is made in the target before, what a server may
// refuse, and the comparison with the manifest.
//
// A dump's text is read by package script; what a server is and may do is asked of package server.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Config says where a dump goes.
type Config struct {
	Server server.Config
	// Database is the one that a dump of one database goes into. It must exist. A dump of several
	// makes them by their names, and Database must be empty.
	Database string
	// Clean drops everything in the target databases first. Without it a database that is not empty
	// is refused.
	Clean bool
	// LockTimeout bounds the wait for whoever holds something locked that Clean has to drop. 0
	// means the server's own bound.
	LockTimeout time.Duration
	// Jobs is the number of connections that load rows and build indexes, besides the one that runs
	// all else. 0 means 2; 1 means everything in its order on one.
	Jobs int
	// Into is told where the dump goes and what is dropped there, after everything that could stand
	// in the way was looked at and before anything is changed; of mysqldump's dump of several
	// databases that was not verified, again for each. nil means nobody.
	Into func(dump.Target)
	// Compared is told, of a load that succeeded, what was found to be as the dump's manifest says.
	// mysqldump's has none: of that it is told nothing. nil means nobody.
	Compared func(dump.Comparison)
	// Warn is told what an operator should know of a load that succeeded. nil means nobody.
	Warn func(string)
}

// A Loader loads a dump into databases. It holds no connection between loads.
type Loader struct {
	cfg  Config
	conn *mysql.Config
	// What Verify has found, if it has read the dump before.
	seen    []string // databases that mysqldump's dump makes: its head does not tell
	longest int      // the length of the longest statement that cannot be split, in bytes
}

// New reads the configuration and connects to nothing. An error is one of configuration and names
// the setting.
func New(cfg Config) (*Loader, error) {
	cc, err := cfg.Server.Driver()
	if err != nil {
		return nil, fmt.Errorf("mysql settings: %w", err)
	}
	if (server.Info{}).IsSystemSchema(cfg.Database) {
		return nil, fmt.Errorf("mysql settings: database %s is the server's own", cfg.Database)
	}
	cfg.Warn, cfg.Into, cfg.Compared = dump.OrNobody(cfg.Warn), dump.OrNobody(cfg.Into), dump.OrNobody(cfg.Compared)
	if cfg.Jobs == 0 {
		cfg.Jobs = 2
	}
	if cfg.Jobs < 0 {
		return nil, fmt.Errorf("mysql settings: %d jobs: at least 1 expected", cfg.Jobs)
	}
	return &Loader{cfg: cfg, conn: cc}, nil
}

var (
	// ErrNotEmpty is returned for a target database that holds something and may not be cleaned.
	ErrNotEmpty = errors.New("the database is not empty")
	// ErrSeveral is returned when a dump that makes its databases itself is to go into one named
	// database.
	ErrSeveral = errors.New("the dump makes its databases by their own names, and goes into a server and not into one database")
	// ErrNoName is returned when a dump of one database is to go into a server.
	ErrNoName = errors.New("the dump is of one database and does not name it; name the one that it goes into")
	// ErrOtherFamily is returned for a dump of MariaDB that is to go into MySQL, or the reverse.
	ErrOtherFamily = errors.New("MySQL and MariaDB do not take each other's dumps")
)

// Load runs a dump's statements, rows and indexes on several connections and all else in its order
// on one. See dump.Loader. Whatever stands in the way is found before anything is changed. An error
// after that says so: the target then holds a part of the dump. A reader that can be closed is
// closed when the load fails, so that nobody waits for what it would still bring.
//
// A dump of mysqldump or mariadb-dump is taken as well. It has no manifest, and its last line is
// all that tells a whole one.
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
	s := &loading{Loader: l, count: func(string, int64) {}}
	r, foreign, err := sniff(r)
	if err != nil {
		return nil, err
	}
	if foreign {
		s.plan = &toolDump{loading: s}
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
	own := &nativeDump{loading: s, inserted: make(map[string]dump.Tally)}
	s.plan, s.count = own, own.count
	s.dump = script.NewReader(vouched, 0)
	return s, nil
}
