package mongo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// LoadConfig says where an archive goes.
type LoadConfig struct {
	Server
	// Database is the database that a dump of one goes into, whatever else it is
	// told: collections are renamed within it. Empty means the one that it was
	// dumped from, and of several theirs.
	Database string
	// Include and Exclude are patterns as in Config, of names in the archive.
	Include, Exclude []string
	// From and To rename namespaces: what matches a pattern of From becomes what
	// stands at its place in To, where each * takes the text of that in From. With
	// Database what would become one of another database is an error.
	From, To []string
	// Clean drops the collections that the archive brings anew. Without it a
	// database that is not empty is refused, or where namespaces are renamed or
	// selected, a collection that exists.
	Clean bool
	// Into is told where the dump goes and what is dropped there, after everything
	// that could stand in the way was looked at and before anything is changed.
	// nil means nobody.
	Into func(dump.Target)
	// Compared is told, of a load that succeeded, what was found to be as the archive
	// says: checksums, and of this program's counts and hashes too. nil means nobody.
	Compared func(dump.Comparison)
	// Warn is told what an operator should know of a load that succeeded.
	// nil means nobody.
	Warn func(string)
}

// A Loader loads an archive into a server. It holds no connection between loads.
type Loader struct {
	cfg       LoadConfig
	filter    namespace.Filter
	renamings []namespace.Renaming
}

// NewLoader reads the configuration and connects to nothing. An error is one of
// configuration and names the setting.
func NewLoader(cfg LoadConfig) (*Loader, error) {
	if err := errors.Join(cfg.Server.Check(), namespace.CheckDatabase(cfg.Database)); err != nil {
		return nil, fmt.Errorf("mongo settings: %w", err)
	}
	l := &Loader{cfg: cfg}
	l.cfg.Warn = teller(cfg.Warn, new(sync.Mutex))
	if l.cfg.Into == nil {
		l.cfg.Into = func(dump.Target) {}
	}
	if l.cfg.Compared == nil {
		l.cfg.Compared = func(dump.Comparison) {}
	}
	var err error
	if l.filter, err = namespace.NewFilter(cfg.Include, cfg.Exclude); err != nil {
		return nil, fmt.Errorf("mongo settings: %w", err)
	}
	if l.renamings, err = namespace.NewRenamings(cfg.From, cfg.To); err != nil {
		return nil, fmt.Errorf("mongo settings: %w", err)
	}
	return l, nil
}

// ErrNotEmpty is returned for a target that holds something and may not be cleaned.
var ErrNotEmpty = errors.New("the target is not empty")

// ErrManyDatabases is returned when a dump of several databases is to go into
// one named database.
var ErrManyDatabases = errors.New("the dump holds several databases, which go into a server and not into one database")

// ErrOutside is returned when a collection would go into another database than the
// one that all of the dump goes into.
var ErrOutside = errors.New("that is in another database")

// ErrNoReplay is returned when a dump's oplog is to be played through a mongos,
// which plays none.
var ErrNoReplay = errors.New("the dump has an oplog, which cannot be played through a mongos")

// Load loads an archive of this program's or of mongodump's: the collections
// with their options, the documents in their order, then indexes, views, users
// and roles, and the oplog. See dump.Loader. Whatever stands in the way is found
// before anything is changed. An error after that says so: the target then holds
// a part of the dump, or all of it but for what the error names. A reader that can be closed is closed when the load fails,
// so that nobody waits for what it would still bring.
func (l *Loader) Load(whole context.Context, r io.Reader) error {
	ctx, fail := context.WithCancelCause(whole)
	defer fail(nil)
	s := &loading{Loader: l, fail: fail}
	defer dump.CloseWith(ctx, r)()
	err := s.load(ctx, r)
	if err != nil {
		if fail(err); whole.Err() == nil {
			err = context.Cause(ctx) // what failed first
		}
	}
	if s.conn != nil {
		s.dropCopies(ctx)
		s.conn.Close(ctx)
	}
	err = l.cfg.WithGrant(err, "restore", "admin")
	if err == nil {
		l.cfg.Compared(s.compared)
		return nil
	}
	err = fmt.Errorf("restore: %w", err)
	left := dump.Left(s.touched, s.gone)
	if _, named := errors.AsType[*incompleteError](err); named {
		left = dump.AllElse
	}
	if left != "" {
		return &dump.PartialError{Err: err, Left: left}
	}
	return err
}

// A loading is one Load under way.
type loading struct {
	*Loader
	archive *archive.Reader
	conn    *server.Conn
	plan    []*target
	targets map[*archive.Collection]*target // what is not among them is passed over
	users   *users                          // nil: none
	oplogOf *archive.Collection             // nil: none
	oplog   *replay
	gone    []string // what Clean has dropped so far
	touched bool     // the dump's collections have begun to be made
	settled bool
	refused []refusal

	leftOut []*leftOut              // documents that are not there, by reason
	fail    context.CancelCauseFunc // of the load's context

	compared dump.Comparison // of the collections that are filled
}

func (s *loading) load(ctx context.Context, r io.Reader) (err error) {
	if err := s.open(r); err != nil {
		return err
	}
	if s.conn, err = s.cfg.ConnectPrimary(ctx); err != nil {
		return err
	}
	s.cfg.WarnUnencrypted(s.cfg.Warn)
	s.warnOfWriteConcern()
	if s.oplogOf != nil && s.conn.Info.Mongos {
		return ErrNoReplay
	}
	p, err := s.place(ctx)
	if err != nil {
		return err
	}
	s.cfg.Into(p.target)
	if err := s.clear(ctx, p); err != nil {
		return err
	}
	s.touched = true
	if err := s.create(ctx); err != nil {
		return err
	}
	if err := s.shard(ctx); err != nil {
		return err
	}
	if err := s.fill(ctx); err != nil {
		return err
	}
	return s.finish(ctx)
}

// open reads the archive's prelude, and says where all that it announces goes.
func (s *loading) open(r io.Reader) (err error) {
	if s.archive, err = archive.NewReader(r); err != nil {
		return err
	}
	return s.makePlan()
}

// fill reads the archive to its end and puts its documents into the collections.
func (s *loading) fill(ctx context.Context) error {
	for {
		block, err := s.archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		t := s.targets[block.Collection]
		switch {
		case block.End == nil && block.Collection == s.oplogOf:
			if err := s.replayOplog(ctx); err != nil {
				return err
			}
		case block.End == nil && s.users != nil && block.Collection == s.users.version:
			if err := s.readVersion(); err != nil {
				return err
			}
		case t == nil:
		case block.End != nil:
			if err := s.filled(ctx, t, *block.End); err != nil {
				return fmt.Errorf("%s: %w", shown.Name(t.namespace()), err)
			}
			if t.kind != targetCollection && t.kind != targetTimeSeries { // users, and views, which have no documents
				continue
			}
			s.compared.Tables++
			s.compared.Rows += block.End.Rows
		default:
			if t.kind == targetAuth {
				s.users.copied = true
			}
			if err := s.insert(ctx, t); err != nil {
				return err
			}
		}
	}
}

// filled is called when all of a collection's documents are in it.
func (s *loading) filled(ctx context.Context, t *target, want dump.Table) error {
	if t.inserted+t.twice+t.others != want.Rows {
		return fmt.Errorf("%d documents were inserted, the dump holds %d", t.inserted, want.Rows)
	}
	if t.without > 0 {
		s.cfg.Warn(fmt.Sprintf("%s: %d documents have no _id, as only old servers allowed; servers give each one, so they have got one made of what they hold and of their place, the same at each restore", shown.Name(t.namespace()), t.without))
	}
	return s.countDocuments(ctx, t)
}

// finish makes what comes after the documents and the oplog.
func (s *loading) finish(ctx context.Context) error {
	for _, t := range s.plan {
		if err := s.createIndexes(ctx, t); err != nil {
			return err
		}
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	return s.incomplete()
}

// settle makes views, and then users and roles, unless that is done. All the
// documents are there, and each view comes after those it reads from.
func (s *loading) settle(ctx context.Context) error {
	if s.settled {
		return nil
	}
	s.settled = true
	for _, t := range s.plan {
		if t.kind != targetView {
			continue
		}
		if err := s.orRefused(ctx, viewRefused, s.createCollection(ctx, t)); err != nil {
			return err
		}
	}
	if s.users == nil {
		return nil
	}
	err := s.loadUsers(ctx)
	if err != nil {
		s.users = nil // what the oplog says of them is about users that are not there
	}
	return s.orRefused(ctx, usersRefused, err)
}
