// Package load puts a dump's items into a server: it says where each collection goes and what
// stands in the way, drops what is to make room, makes the collections and fills them, and makes
// indexes, views, users and roles, and names at the end what is not there. A recorded oplog is
// repeated before the indexes, but after the views and the users, which it may change. What
// definitions may say and what a server's answers mean it is told.
package load

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// A Config says where a dump goes. Those that no server is needed for were looked at.
type Config struct {
	Server     server.Config
	Database   string // into which a dump of one goes; empty: theirs
	Filter     namespace.Filter
	Renamings  []namespace.Renaming
	Jobs       int                   // sessions that a collection is filled on, and indexes are made on, 1 or more
	SchemaOnly bool                  // collections, indexes and views without documents, users and an oplog
	Drill      bool                  // no document expires: the copy is read back and dropped
	Clean      bool                  // what is brought anew is dropped first
	Refused    func(dump.Refusal)    // told what the server refuses, behind which the load then goes on; nil: documents that are refused end it
	Into       func(dump.Target)     // told where the dump goes before anything is changed
	Compared   func(dump.Comparison) // told what was found to be as the dump says
	Warn       func(string)
}

// Run loads a dump by its items. Whatever stands in the way is found before anything is changed; an
// error after that is a *dump.PartialError.
//
// The items are read while the server takes those before. As soon as the load has failed it calls
// fail, perhaps several times, and then waits for whoever reads. fail ends ctx, and after it the
// wait for what the items would still bring: see dump.Interruptible.
func Run(ctx context.Context, c Config, items iter.Seq2[dump.Item, error], fail context.CancelCauseFunc) error {
	s := &loading{cfg: c, fail: fail}
	err := s.walk(items, func(planned error) error {
		if planned != nil {
			return planned
		}
		return s.prepare(ctx)
	}, func(item dump.Item) error { return s.fill(ctx, item) })
	if err == nil {
		err = s.finish(ctx)
	}
	if err != nil {
		fail(err)
		if first := context.Cause(ctx); !errors.Is(err, first) {
			err = first
		}
	}
	s.tellLeftOut(func(*leftOut) bool { return true }, "")
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
	if _, named := errors.AsType[*dump.IncompleteError](err); named {
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
	conn    *server.Conn
	plan    []*target
	targets map[source]*target // what is not among them is passed over
	users   *users             // nil: none
	replays bool               // the dump's oplog is played
	oplog   *replay
	gone    []string // what Clean has dropped so far
	touched bool     // the dump's collections have begun to be made
	settled bool

	asked   atomic.Int64       // what may be refused: collections that are made, and filled, indexes, views, users
	lost    map[source]*target // collections that the server does not make, and whose documents are passed over
	noting  sync.Mutex         // for the sessions that insert and make indexes
	failed  int                // of what was asked
	refused []refusal
	leftOut []*leftOut              // documents that are not there, by reason
	missed  []dump.Table            // and how many there are of each collection
	fail    context.CancelCauseFunc // ends the wait for items

	compared dump.Comparison // of the collections that are filled
}

// prepare makes the collections that are to be filled, when it has looked at all that could stand
// in the way.
func (s *loading) prepare(ctx context.Context) (err error) {
	if s.conn, err = s.cfg.Server.ConnectPrimary(ctx); err != nil {
		return err
	}
	s.cfg.Server.WarnUnencrypted(s.cfg.Warn)
	s.warnOfWriteConcern()
	if s.replays && s.conn.Info.Mongos {
		return ErrNoReplay
	}
	p, err := s.place(ctx)
	if err != nil {
		return err
	}
	s.cfg.Into(p.target)
	if ctx.Err() != nil { // it may be that whoever was told does not want it
		return context.Cause(ctx)
	}
	if err := s.clear(ctx, p); err != nil {
		return err
	}
	s.touched = true
	if err := s.create(ctx); err != nil {
		return err
	}
	return s.shard(ctx)
}

// finish makes what comes after the documents and the oplog.
func (s *loading) finish(ctx context.Context) error {
	if err := s.index(ctx); err != nil {
		return err
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
		s.asked.Add(1)
		if err := s.orRefused(ctx, viewRefused, "view "+shown.Name(t.namespace()), s.createCollection(ctx, t)); err != nil {
			return err
		}
	}
	if s.users == nil {
		return nil
	}
	s.asked.Add(1)
	err := s.loadUsers(ctx)
	if err != nil {
		s.users = nil // what the oplog says of them is about users that are not there
	}
	return s.orRefused(ctx, usersRefused, "users and roles", err)
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
