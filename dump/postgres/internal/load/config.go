package load

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A Config says where a dump goes.
type Config struct {
	// Conn is the connection, in the database that a dump of one goes into.
	Conn *pgx.ConnConfig
	// Named is the database that was named for the dump, whatever else the connection is of; empty:
	// none was.
	Named string
	// Several says that the configuration is of several databases: only Named is a place for a dump
	// of one.
	Several bool
	// Drill loads a copy that acts on nothing else: see tamed.
	Drill bool
	// Clean drops everything in the target first. Without it a database that is not empty is
	// refused.
	Clean bool
	// NoOwner leaves out who owns what, NoPrivileges GRANT and REVOKE.
	NoOwner, NoPrivileges bool
	// LockTimeout bounds the wait for whoever holds locked what Clean has to drop. 0 means no
	// bound.
	LockTimeout time.Duration
	// Jobs is the number of connections, at least 1.
	Jobs int
	// BuildApart is how many bytes of rows a table has at least for what is built of them to be
	// built beside other work.
	BuildApart int64
	// Analyze says that the planner's statistics of what was loaded are made in the end.
	Analyze bool
	// SingleTransaction has all of the dump go in one transaction, on one connection.
	SingleTransaction bool
	// DisableTriggers keeps the triggers of tables silent while rows go into them, of a dump of
	// rows alone. Others make triggers behind the rows.
	DisableTriggers bool
	// Refused is told of what the server refuses, and the load goes on. nil: it ends.
	Refused func(dump.Refusal)
	// Target makes a Target of the database that a session of the load is in. The connection stays
	// the load's, which does nothing else with it while it calls a method.
	Target func(conn *pgx.Conn, srv server.Info, database string) Target
	// Part is what the items are of a database, where its other objects are not the load's
	// business. nil: they are all of it.
	Part Part
	// Into is told where the dump goes before anything is changed, Compared what was found to be as
	// the manifest says, Working what is built and how much of it is done, Warn what an operator
	// should know.
	Into     func(dump.Target)
	Compared func(dump.Comparison)
	Working  func(dump.Work)
	Warn     func(string)
}

// A Target is a database that a dump goes into, by a session in it: what it has beyond a new one,
// and how that is dropped. What there is to find is for others to know; a load knows no catalogues.
type Target interface {
	// Look names something that keeps the database from being as a new one, and counts what there
	// is besides, or returns the empty string. With keeps all of it is to stay, and what is not in
	// the way is told to whoever hears warnings.
	Look(ctx context.Context, keeps bool) (what string, more int, err error)
	// TryClean drops in a transaction, which it leaves open, all that Clean would: an error says
	// what Clean would fail by.
	TryClean(ctx context.Context) error
	// Clean makes the database as a new one is, or fails and has changed nothing in it. Empty does
	// the same in a transaction, which it leaves open.
	Clean(ctx context.Context) error
	Empty(ctx context.Context) error
	// ForgetProperties takes back what was set for the database itself. What the role may not is
	// told, and no error.
	ForgetProperties(ctx context.Context) error
}

// A Part is some of a database's objects, which go into a database that may hold others.
type Part interface {
	// Place looks into the database that the session is in, and changes nothing. What is in the way
	// of the part is an error, or with clean what Drop drops, which it names.
	Place(ctx context.Context, conn *pgx.Conn, clean bool) (drops []string, err error)
	// Drop drops that, or fails and has dropped nothing.
	Drop(ctx context.Context, conn *pgx.Conn) error
	// BeginDrop drops it in a transaction, which it leaves open.
	BeginDrop(ctx context.Context, conn *pgx.Conn) error
}

// ErrWholeCluster is returned when a dump of a whole cluster is to go into one named database.
var ErrWholeCluster = errors.New("the dump holds a whole cluster, which goes into a server and not into one database")

// ErrNotInOne is returned when a dump that makes databases is to go in one transaction.
var ErrNotInOne = errors.New("the dump holds databases, which no server makes in a transaction: it cannot go in a single one")

// ErrDataOnly is returned when a dump without definitions is to go into a database that is to be
// emptied first.
var ErrDataOnly = errors.New("the dump holds rows alone, which go into tables that exist")
