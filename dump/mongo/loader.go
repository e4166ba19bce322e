package mongo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/load"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// LoadConfig says where an archive goes.
type LoadConfig struct {
	Server
	// Database is the database that a dump of one goes into, whatever else it is told: collections
	// are renamed within it. Empty means the one that it was dumped from, and of several theirs.
	Database string
	// Include and Exclude are patterns as in Config, of names in the archive.
	Include, Exclude []string
	// From and To rename namespaces: what matches a pattern of From becomes what stands at its
	// place in To, where each * takes the text of that in From. With Database what would become one
	// of another database is an error.
	From, To []string
	// Jobs is the number of sessions on which the documents of a collection go in, and then the
	// indexes of several collections are made. On several the documents go in batches beside each
	// other, and so mixed up: what the order means something for, capped collections and time
	// series, has one. 1 means all documents in their order, 0 dump.LoadJobs.
	Jobs int
	// SchemaOnly brings the collections with their options, indexes and views, and no documents: so
	// no users and roles either, which are some, and nothing of an oplog.
	SchemaOnly bool
	// Drill loads a copy that is read back and dropped: none of its documents expires meanwhile.
	Drill bool
	// Clean drops the collections that the archive brings anew. Without it a database that is not
	// empty is refused, or where namespaces are renamed or selected, a collection that exists.
	Clean bool
	// Refused is told of what the server refuses, one at a time. The load then goes on, and ends
	// with a *dump.IncompleteError. Documents are told of at the end of their collection, all that
	// are refused for one reason together. nil: documents that the server refuses, and entries of
	// the oplog, end the load. Collections, indexes, views, users and roles never do: all that is
	// refused of them is named at the end, in an error that is a *dump.IncompleteError as well.
	Refused func(dump.Refusal)
	// Into is told where the dump goes and what is dropped there, after everything that could stand
	// in the way was looked at and before anything is changed: nothing is if it ends the load's
	// context. nil means nobody.
	Into func(dump.Target)
	// Compared is told, of a load that succeeded, what was found to be as the archive says:
	// checksums, and of this program's counts and hashes too. nil means nobody.
	Compared func(dump.Comparison)
	// Warn is told what an operator should know of a load that succeeded. nil means nobody.
	Warn func(string)
}

// A Loader loads an archive into a server. It holds no connection between loads.
type Loader struct{ cfg load.Config }

// NewLoader reads the configuration and connects to nothing. An error is one of configuration and
// names the setting.
func NewLoader(cfg LoadConfig) (*Loader, error) {
	if err := errors.Join(cfg.Server.Check(), namespace.CheckDatabase(cfg.Database)); err != nil {
		return nil, fmt.Errorf("mongo settings: %w", err)
	}
	filter, err := namespace.NewFilter(cfg.Include, cfg.Exclude)
	if err != nil {
		return nil, fmt.Errorf("mongo settings: %w", err)
	}
	renamings, err := namespace.NewRenamings(cfg.From, cfg.To)
	if err != nil {
		return nil, fmt.Errorf("mongo settings: %w", err)
	}
	if cfg.Jobs < 0 {
		return nil, fmt.Errorf("mongo settings: %d jobs: at least 1 expected", cfg.Jobs)
	}
	return &Loader{load.Config{
		Server: cfg.Server, Database: cfg.Database, Filter: filter, Renamings: renamings, Jobs: dump.LoadJobs(cfg.Jobs), Clean: cfg.Clean, SchemaOnly: cfg.SchemaOnly, Drill: cfg.Drill, Refused: cfg.Refused,
		Into: dump.OrNobody(cfg.Into), Compared: dump.OrNobody(cfg.Compared), Warn: shown.Teller(cfg.Warn, new(sync.Mutex)),
	}}, nil
}

// Load loads an archive of this program's or of mongodump's: the collections with their options,
// the documents, on one session in their order, then indexes, views, users and roles. An oplog is
// repeated before the indexes, and views, users and roles are then made before it. See dump.Loader.
// Whatever stands in the way is found before anything is changed. An error after that says so: the
// target then holds a part of the dump, or all of it but for what the error names. A reader that
// can be closed is closed when the load fails, so that nobody waits for what it would still bring.
//
// The load may be waiting for r when it fails, and ends when that wait does: what cannot be closed
// has to end by itself.
func (l *Loader) Load(ctx context.Context, r io.Reader) error {
	return dump.Interruptible(ctx, r, func(ctx context.Context, fail context.CancelCauseFunc) error {
		return load.Run(ctx, l.cfg, archive.Items(r), fail)
	})
}

// Verify reads an archive to its end and returns nil for a whole one that goes where the Loader
// would put it. It connects to nothing, and warns of nothing: Load does.
func (l *Loader) Verify(r io.Reader) error { return load.Verify(l.cfg, archive.Items(r)) }

// Verify reads an archive to its end and returns nil for a whole one.
func Verify(r io.Reader) error {
	for _, err := range archive.Items(r) {
		if err != nil {
			return err
		}
	}
	return nil
}

// Items reads an archive, of this program's or of mongodump's, as items. See dump.Item: the
// definitions are the collections' metadata, with their Table, before all else, and the oplog's
// entries are the Blocks of an item of AfterRows. Time series come as the buckets that their
// documents are in.
func Items(r io.Reader) iter.Seq2[dump.Item, error] { return archive.Items(r) }
