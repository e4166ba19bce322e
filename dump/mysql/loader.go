package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/items"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/load"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// LoadConfig says where a dump goes.
type LoadConfig struct {
	Server
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
	// all else. 0 means dump.LoadJobs; 1 means everything in its order on one.
	Jobs int
	// Part is what of the dump is loaded. Tables are named as table or database.table; views and
	// sequences are tables here. Where some are named, nothing else comes but what belongs to them,
	// and in the target only these may not be there, or are dropped by Clean. FromDatabase goes
	// into Database, or into one of its own name where that is empty.
	Part dump.Choice
	// NoBinlog keeps the load out of the server's binary log, and so from its replicas.
	NoBinlog bool
	// Drill loads a copy that acts on nothing, though the original is on the same server: events
	// are made disabled, and programs that may name the original database, beside an alias or in
	// another character set, are left out, each with a warning.
	Drill bool
	// NoAnalyze leaves the optimizer's statistics to the server, instead of making them of what was
	// loaded.
	NoAnalyze bool
	// Refused is told of what the server refuses, and then the load goes on, and ends with a
	// *dump.IncompleteError. nil: it stops at the first.
	Refused func(dump.Refusal)
	// Into is told where the dump goes and what is dropped there, after everything that could stand
	// in the way was looked at and before anything is changed: nothing is if it ends the load's
	// context. Of mysqldump's dump of several databases that was not verified it is told again for
	// each. nil means nobody.
	Into func(dump.Target)
	// Compared is told, of a load that succeeded, what was found to be as the dump's manifest says.
	// mysqldump's has none: of that it is told nothing. nil means nobody.
	Compared func(dump.Comparison)
	// Warn is told what an operator should know of a load that succeeded. nil means nobody.
	Warn func(string)
}

// What stands in the way of a load.
var (
	// ErrSeveral is returned when a dump that makes its databases itself is to go into one named
	// database.
	ErrSeveral = load.ErrSeveral
	// ErrNoName is returned when a dump of one database is to go into a server.
	ErrNoName = load.ErrNoName
	// ErrOtherFamily is returned for a dump of MariaDB that is to go into MySQL, or the reverse.
	ErrOtherFamily = load.ErrOtherFamily
	// ErrElsewhereRows is returned by the load of a drill for a table whose rows are kept
	// elsewhere.
	ErrElsewhereRows = load.ErrElsewhereRows
	// ErrUndroppable is returned when a database that is to be dropped, or emptied, cannot be.
	ErrUndroppable = load.ErrUndroppable
	// ErrNothingFits is returned where what Part names is not in the dump.
	ErrNothingFits = choice.ErrNothingFits
	// ErrOfOne is returned where Part names a database, and the dump is of one, which it does not
	// name.
	ErrOfOne = choice.ErrOfOne
	// ErrNotCompleted is returned for a dump of mysqldump without its last line.
	ErrNotCompleted = items.ErrNotCompleted
)

// A Loader loads a dump into databases. It holds no connection between loads.
type Loader struct{ cfg load.Config }

// NewLoader reads the configuration and connects to nothing. An error is one of configuration and
// names the setting.
func NewLoader(cfg LoadConfig) (*Loader, error) {
	cc, err := cfg.Server.Driver()
	if err != nil {
		return nil, fmt.Errorf("mysql settings: %w", err)
	}
	part, err := choice.Parse(cfg.Part)
	switch {
	case err != nil:
		return nil, fmt.Errorf("mysql settings: %w", err)
	case part != nil && part.DataOnly && cfg.Clean:
		return nil, errors.New("mysql settings: data only goes into tables that are there, and clean drops them: only one of them can be meant")
	case part != nil && part.From != "" && cfg.Database == "":
		cfg.Database = part.From
	}
	if (server.Info{}).IsSystemSchema(cfg.Database) {
		return nil, fmt.Errorf("mysql settings: database %s is the server's own", cfg.Database)
	}
	cfg.Jobs = dump.LoadJobs(cfg.Jobs)
	if cfg.Jobs < 0 {
		return nil, fmt.Errorf("mysql settings: %d jobs: at least 1 expected", cfg.Jobs)
	}
	return &Loader{load.Config{
		Server: cfg.Server, Driver: cc, Database: cfg.Database, Clean: cfg.Clean, LockTimeout: cfg.LockTimeout, Jobs: cfg.Jobs, Part: part,
		NoBinlog: cfg.NoBinlog, NoAnalyze: cfg.NoAnalyze, Drill: cfg.Drill,
		Refused: cfg.Refused, Into: dump.OrNobody(cfg.Into), Compared: dump.OrNobody(cfg.Compared), Warn: dump.OrNobody(cfg.Warn),
	}}, nil
}

// Load runs a dump's statements, rows and indexes on several connections and all else in its order
// on one. See dump.Loader. Whatever stands in the way is found before anything is changed. An error
// after that says so: the target then holds a part of the dump.
//
// A dump of mysqldump or mariadb-dump is taken as well. It has no manifest, and its last line is
// all that tells a whole one.
//
// A reader that can be closed is closed when the load fails, so that nobody waits for what it would
// still bring: neither whoever writes into the other end, nor the load itself, which may be waiting
// for r when a session of its fails. A reader that cannot be closed has to end by itself.
func (l *Loader) Load(ctx context.Context, r io.Reader) error {
	return dump.Interruptible(ctx, r, func(ctx context.Context, fail context.CancelCauseFunc) error {
		return load.Run(ctx, l.cfg, items.ReadAny(r), fail)
	})
}

// Wants tells whether a Load may need that part of a dump: see dump.Contents. Of a dump of one
// database it does not depend on its name.
func (l *Loader) Wants(p dump.Part) bool { return l.cfg.Part == nil || l.cfg.Part.Wants(p) }

// Verify reads a dump to its end and returns nil for a whole one that goes where the Loader would
// put it, and has the rows that its manifest says. It connects to nothing. A Load of the same dump
// after it knows from the beginning which databases it makes, mysqldump's too, and how long a
// statement the server has to take.
func (l *Loader) Verify(r io.Reader) (err error) {
	l.cfg.Found, err = load.Verify(l.cfg, items.ReadAny(r))
	return err
}

// Verify reads a dump, this program's or mysqldump's, to its end and returns nil for a whole one.
func Verify(r io.Reader) error { return items.Verify(r) }

// Items reads a dump of this program as a sequence of statements and tables' rows, which ends with
// its manifest: see dump.Item.
func Items(r io.Reader) iter.Seq2[dump.Item, error] { return items.Read(r) }

// SplitPatterns parts a list of patterns of LoadConfig.Part at its commas outside quotes.
func SplitPatterns(list string) []string { return choice.Split(list) }
