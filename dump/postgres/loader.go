package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/fresh"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/load"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/part"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// LoadConfig says where a dump goes.
type LoadConfig struct {
	Conn     string // as in Config
	Database string // overrides the database of Conn and of PGDATABASE
	Password string // overrides the password of Conn and of PGPASSWORD
	// Clean drops everything in the target database first. Without it a database that is not empty
	// is refused.
	Clean bool
	// Several says that the configuration is of several databases or a whole cluster, so that
	// Conn's database is the one connected to first and no place for a dump of one: only Database
	// is.
	Several bool
	// NoOwner leaves out who owns what: everything belongs to the loading role. NoPrivileges leaves
	// out GRANT and REVOKE.
	NoOwner, NoPrivileges bool
	// ConnectTimeout is as in Config.
	ConnectTimeout time.Duration
	// LockTimeout bounds the wait for whoever holds something locked that Clean has to drop. 0
	// means no bound.
	LockTimeout time.Duration
	// Jobs is the number of connections that build indexes, keys and foreign keys, and share the
	// rows of a large table that the dump has in the order of its key. 0 means dump.LoadJobs.
	Jobs int
	// BuildApart is how many bytes of rows, as the dump has them, a table has at least for its
	// indexes and keys to be built beside other work. What is built of less takes less time than a
	// second session needs to get to know the table. 0 means 1 MiB; a negative number means every
	// table.
	BuildApart int64
	// NoAnalyze leaves the planner's statistics to autovacuum, instead of making them of what was
	// loaded.
	NoAnalyze bool
	// Drill loads a copy that acts on nothing else: user mappings are left out, and materialized
	// views that the server does not fill, over foreign tables say, are warned of alone.
	Drill bool
	// Part is what of the dump is loaded. Where some of a database's tables or schemas are chosen,
	// the target may hold other things: what would be made must not be there, or Clean drops just
	// that, and what is needed beyond it and is there is taken as it is.
	Part dump.Choice
	// ToSchema is the schema that those of the dump's tables go into which come from one. Empty:
	// their own.
	ToSchema string
	// SingleTransaction has all of the dump there or nothing: with what Clean drops it goes in one
	// transaction, on one connection. A dump of several databases does not.
	SingleTransaction bool
	// DisableTriggers keeps the triggers of tables silent while rows go in, those of foreign keys
	// included, of a load of rows alone: others make triggers behind the rows. It takes a superuser
	// where there are any.
	DisableTriggers bool
	// Refused is told of what the server refuses, and then the load goes on, and ends with a
	// *dump.IncompleteError. nil: it stops at the first.
	Refused func(dump.Refusal)
	// Into is told where the dump goes and what is dropped there, after everything that could stand
	// in the way was looked at and before anything is changed: nothing is if it ends the load's
	// context. nil means nobody.
	Into func(dump.Target)
	// Compared is told, of a load that succeeded, what was found to be as the dump's manifest says.
	// nil means nobody.
	Compared func(dump.Comparison)
	// Working is told what the load builds, once there is something and whenever some of it is
	// done, by one goroutine that it holds up. nil means nobody.
	Working func(dump.Work)
	// Warn is told what an operator should know of a load that goes on. nil means nobody.
	Warn func(string)
}

// A Loader loads a dump into a database. It holds no connection between loads.
type Loader struct {
	cfg  load.Config
	part *part.Config // nil: all of a dump is loaded
}

// NewLoader reads the configuration and connects to nothing. An error is one of configuration and
// names the setting.
func NewLoader(cfg LoadConfig) (*Loader, error) {
	cc, err := server.ParseConfig(cfg.Conn, cfg.Database, cfg.Password, cfg.ConnectTimeout, cfg.Warn)
	if err != nil {
		return nil, fmt.Errorf("postgres settings: %w", err)
	}
	if cfg.SingleTransaction && cfg.Refused != nil {
		return nil, errors.New("postgres settings: a single transaction, and to go on behind what is refused: one of them expected, as a refusal ends the transaction")
	}
	if cfg.SingleTransaction {
		cfg.Jobs = 1
	}
	cfg.Jobs = dump.LoadJobs(cfg.Jobs)
	if cfg.Jobs < 0 {
		return nil, fmt.Errorf("postgres settings: %d jobs: at least 1 expected", cfg.Jobs)
	}
	if cfg.BuildApart == 0 {
		cfg.BuildApart = 1 << 20
	}
	warn := dump.OrNobody(cfg.Warn)
	server.GuardPassword(cc, warn)
	server.HearOut(cc)
	target := func(conn *pgx.Conn, srv server.Info, database string) load.Target {
		return fresh.Target{Conn: conn, Srv: srv, Name: database, Warn: warn}
	}
	chosen, err := part.Parse(cfg.Part, cfg.ToSchema, warn)
	switch {
	case err != nil:
		return nil, fmt.Errorf("postgres settings: %w", err)
	case cfg.Part.DataOnly && cfg.Clean:
		return nil, fmt.Errorf("postgres settings: data only: %w: nothing can be cleaned first", ErrDataOnly)
	}
	return &Loader{part: chosen, cfg: load.Config{
		Conn: cc, Named: cfg.Database, Several: cfg.Several, Clean: cfg.Clean, NoOwner: cfg.NoOwner, NoPrivileges: cfg.NoPrivileges,
		LockTimeout: cfg.LockTimeout, Jobs: cfg.Jobs, BuildApart: cfg.BuildApart, Analyze: !cfg.NoAnalyze, Drill: cfg.Drill,
		SingleTransaction: cfg.SingleTransaction, DisableTriggers: cfg.DisableTriggers, Refused: cfg.Refused,
		Target: target, Into: dump.OrNobody(cfg.Into), Compared: dump.OrNobody(cfg.Compared), Working: dump.OrNobody(cfg.Working), Warn: warn,
	}}, nil
}

// Load runs a dump's statements, indexes and keys on several connections, on which the rows of
// large tables go too, and all else in its order on one. See dump.Loader. A dump of one database
// goes into the configured database; one of a whole cluster makes its databases itself, beginning
// from the database postgres. Whatever stands in the way is found before anything is changed. An
// error after that says so: the target then holds a part of the dump.
//
// A reader that can be closed is closed when the load fails or ctx ends, so that nobody waits for
// what it would still bring; Load returns when that Close has.
func (l *Loader) Load(ctx context.Context, r io.Reader) error {
	return dump.Interruptible(ctx, r, func(ctx context.Context, fail context.CancelCauseFunc) error {
		cfg, items := l.items(r)
		return load.Run(ctx, cfg, items, fail)
	})
}

// Verify reads a dump to its end and returns nil for a whole one that goes where the Loader would
// put it, and has the rows that its manifest says. It connects to nothing, and warns of nothing:
// Load does, which knows the target. A Load behind it of the same dump knows what is made behind
// the dump's rows.
func (l *Loader) Verify(r io.Reader) error {
	if l.part == nil {
		return load.Verify(l.cfg, Items(r))
	}
	silent := *l.part
	silent.Warn = func(string) {}
	cfg, chosen := l.cfg, part.New(&silent)
	if silent.Picks() {
		cfg.Part = chosen
	}
	if err := load.Verify(cfg, chosen.Items(Items(r))); err != nil {
		return err
	}
	l.part.Behind = chosen.MadeBehind()
	return nil
}

// items are those of a dump that are loaded, and what the load has to know of them.
func (l *Loader) items(r io.Reader) (load.Config, iter.Seq2[dump.Item, error]) {
	if l.part == nil {
		return l.cfg, Items(r)
	}
	cfg, chosen := l.cfg, part.New(l.part)
	if l.part.Picks() {
		cfg.Part = chosen
	}
	return cfg, chosen.Items(Items(r))
}

// Wants tells whether a load may need a part of a dump, going by the names in the dump's manifest
// alone. A table may be a partition of one that is chosen, which only the definitions tell: see
// WantsBy.
func (l *Loader) Wants(p dump.Part) bool { return l.part == nil || l.part.Wants(p) }

// WantsBy is Wants for a dump whose definitions are known: r reads its head and all parts of it
// that are definitions and that Wants wants, one behind the other, and what comes behind does not
// count. Of tables it wants those alone that are chosen.
func (l *Loader) WantsBy(r io.Reader) (func(dump.Part) bool, error) {
	if l.part == nil {
		return l.Wants, nil
	}
	return l.part.WantsBy(Items(r))
}

// Items reads a dump as a sequence of statements and tables' rows, which ends with its manifest:
// see dump.Item. A \connect is an item too. Rows of a partition that are loaded into what it is a
// part of are told to be that table's; the manifest, which has the tables in the order of the items
// of rows, one for each, has the partition's name.
func Items(r io.Reader) iter.Seq2[dump.Item, error] { return script.Items(r) }
