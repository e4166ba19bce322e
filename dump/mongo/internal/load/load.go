// Package load puts an archive into a server: it says where each collection goes and what stands in
// the way, drops what is to make room, makes the collections, fills them, repeats the recorded
// oplog, makes indexes, views, users and roles, and names what is not there at the end. What an
// archive holds, what definitions may say and what a server's answers mean it is told.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// A Config says where an archive goes. Those that no server is needed for were looked at.
type Config struct {
	Server    server.Config
	Database  string // into which a dump of one goes; empty: theirs
	Filter    namespace.Filter
	Renamings []namespace.Renaming
	Clean     bool                  // what is brought anew is dropped first
	Into      func(dump.Target)     // told where the dump goes before anything is changed
	Compared  func(dump.Comparison) // told what was found to be as the archive says
	Warn      func(string)
}

// Run loads an archive. Whatever stands in the way is found before anything is changed; an error
// after that is a *dump.PartialError.
func (c Config) Run(whole context.Context, r io.Reader) error {
	ctx, fail := context.WithCancelCause(whole)
	defer fail(nil)
	s := &loading{cfg: c, fail: fail}
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
	err = c.Server.WithGrant(err, "restore", "admin")
	if err == nil {
		c.Compared(s.compared)
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
	cfg     Config
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
	if s.conn, err = s.cfg.Server.ConnectPrimary(ctx); err != nil {
		return err
	}
	s.cfg.Server.WarnUnencrypted(s.cfg.Warn)
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

// settle makes views, and then users and roles, unless that is done. All the documents are there,
// and each view comes after those it reads from.
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

func (s *loading) warnOfWriteConcern() {
	if s.conn.IsPrimaryAlone() {
		s.cfg.Warn("w=1 of the URI has the primary alone acknowledge what is restored: an election meanwhile may take some of it back unseen; leave it out, unless no majority can be had")
	}
}

// run runs a command of the restore.
func (s *loading) run(ctx context.Context, db string, command bson.D, answer any) error {
	return s.conn.RunLasting(ctx, db, command, answer)
}
