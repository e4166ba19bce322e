// Package mongo dumps MongoDB databases, and what speaks MongoDB's protocol, as the archive that
// mongodump --archive writes, and loads such archives.
//
// The documents pass as the BSON that the server sent and are never decoded; one collection comes
// after the other in a fixed order, so equal data gives equal bytes. mongorestore --archive reads
// the result. See package archive for what is in the stream besides.
//
// This is the face: what is dumped and loaded, and by which settings. How that is done is below, in
// rooms of their own: server, how a server is asked; catalog, what it has; rows, how documents
// leave; moment and oplog, how they are of one time; load, how they come back; and at the ground
// archive, definition, namespace, document, version and shown.
//
// The facts about MongoDB that this package rests on are those of mongodump's and mongorestore's
// sources (mongo-tools, mongodump and mongorestore) and of the server's manual, for servers 5.0 to
// 8.
package mongo

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/moment"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// Config says what to dump and how to reach it.
type Config struct {
	Server
	// Database is the one to dump. Empty means all, but local.
	Database string
	// Include and Exclude are patterns of namespaces, "database.collection", in which * stands for
	// any text. Without Include all are included.
	Include, Exclude []string
	// Users says whether users and roles are dumped. Empty means UsersAuto.
	Users Users
	// Oplog says how the dump becomes one moment of a database that is written to. Empty means
	// OplogAuto.
	Oplog Oplog
	// Order is the order in which documents leave. Empty means OrderAuto.
	Order Order
	// UUIDs keeps the collections' UUIDs in their metadata, where mongorestore --preserveUUID wants
	// them.
	UUIDs bool
	// AllowEmpty has a dump made that holds nothing, which is a *dump.EmptyError otherwise.
	AllowEmpty bool
	// Jobs is the number of collections that are read at once. The bytes of the dump are the same
	// for every number. 0 means 2.
	Jobs int
	// Table is told each table whose rows have all been written, as the manifest has it and in its
	// order, by the goroutine that writes: what it does holds the dump up. nil means nobody.
	Table func(dump.Table)
	// Contents is told, of a dump that is whole, what it holds and where in the archive that is,
	// which has no place for it. nil means nobody.
	Contents func(dump.Contents)
	// Debug is told of choices made on the way. nil means nobody.
	Debug func(string)
	// Warn is told what a dump leaves out or cannot vouch for. nil means nobody.
	Warn func(string)
}

// Users says whether users and roles are dumped.
type Users = catalog.Users

const (
	UsersAuto = catalog.UsersAuto // with all databases
	UsersOn   = catalog.UsersOn   // also those of the one database
	UsersOff  = catalog.UsersOff
)

// Oplog says how a dump becomes one moment of a database that is written to.
type Oplog = moment.Oplog

const (
	OplogAuto = moment.OplogAuto // the oplog, else a snapshot, else a warning
	OplogOn   = moment.OplogOn   // the oplog, or an error
	OplogOff  = moment.OplogOff  // neither: documents are as they were when they were read
)

// Order is the order in which a collection's documents leave. On the same data it must be the same
// from dump to dump, and a change must stay where it is made.
type Order string

const (
	// OrderAuto is OrderNatural, but through a mongos OrderID.
	OrderAuto Order = "auto"
	// OrderNatural is the order in which the server keeps the documents, which is the fastest to
	// read in. That of a mongod is the order in which they were inserted, and updates leave them
	// where they are; but each member of a replica set may have its own.
	OrderNatural Order = "natural"
	// OrderID is the order of _id, the same everywhere. It costs the server a look-up for each
	// document.
	OrderID Order = "id"
)

// A Server is how a server, a replica set or a cluster is reached.
type Server = server.Config

// A Source dumps a database, or all of a server's. It holds no connection between dumps.
type Source struct {
	cfg     Config
	choice  catalog.Choice
	refresh time.Duration // of sessions
}

// NewSource reads the configuration and connects to nothing. An error is one of configuration and
// names the setting.
func NewSource(cfg Config) (*Source, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("mongo settings: %w", err)
	}
	var telling sync.Mutex // collections are read side by side
	cfg.Warn, cfg.Debug = shown.Teller(cfg.Warn, &telling), shown.Teller(cfg.Debug, &telling)
	cfg.Table, cfg.Contents = dump.OrNobody(cfg.Table), dump.OrNobody(cfg.Contents)
	if cfg.Jobs == 0 {
		cfg.Jobs = 2
	}
	if cfg.Users == "" {
		cfg.Users = UsersAuto
	}
	if cfg.Oplog == "" {
		cfg.Oplog = OplogAuto
	}
	if cfg.Order == "" {
		cfg.Order = OrderAuto
	}
	f, err := namespace.NewFilter(cfg.Include, cfg.Exclude)
	if err != nil {
		return nil, fmt.Errorf("mongo settings: %w", err)
	}
	return &Source{cfg: cfg, choice: catalog.Choice{Database: cfg.Database, Filter: f, Users: cfg.Users, AllowEmpty: cfg.AllowEmpty}, refresh: server.RefreshTime}, nil
}

func (c Config) check() error {
	if err := c.Server.Check(); err != nil {
		return err
	}
	switch c.Users {
	case "", UsersAuto, UsersOn, UsersOff:
	default:
		return fmt.Errorf("users %q: auto, on or off expected", c.Users)
	}
	switch c.Oplog {
	case "", OplogAuto, OplogOff:
	case OplogOn:
		if c.Database != "" || len(c.Include)+len(c.Exclude) > 0 {
			return errors.New("oplog on: the oplog is of all databases, so all of them have to be dumped; want neither a database nor include and exclude")
		}
	default:
		return fmt.Errorf("oplog %q: auto, on or off expected", c.Oplog)
	}
	switch c.Order {
	case "", OrderAuto, OrderNatural, OrderID:
	default:
		return fmt.Errorf("order %q: auto, natural or id expected", c.Order)
	}
	if c.Jobs < 0 {
		return fmt.Errorf("%d jobs: at least 1 expected", c.Jobs)
	}
	return namespace.CheckDatabase(c.Database)
}

// Host returns the server's host, for naming backups: of several the first, and "localhost" for a
// socket.
func (s *Source) Host() string { return s.cfg.HostName() }

// Database returns the name of the database that is dumped; it is empty for all.
func (s *Source) Database() string { return s.cfg.Database }

// name is what is dumped, for errors.
func (s *Source) name() string {
	if s.cfg.Database == "" {
		return "all databases"
	}
	return s.cfg.Database
}

// SplitPatterns splits a list of patterns at its commas, but for those after a backslash. Blanks
// around its items do not count.
func SplitPatterns(list string) []string { return namespace.SplitPatterns(list) }

// withGrant names the built-in role that has all rights which this dump needs.
func (s *Source) withGrant(err error) error {
	if s.cfg.Database == "" || s.cfg.Database == "admin" || s.cfg.Database == "config" || s.cfg.Users == UsersOn {
		return s.cfg.WithGrant(err, "backup", "admin")
	}
	return s.cfg.WithGrant(err, "read", s.cfg.Database)
}

// CheckURI finds what is wrong with a URI without contacting anything. Its error is a
// *dump.AddressError. unknown is told of each option that the driver does not know, and which it
// would pass over; its error ends the check. nil: they are passed over.
func CheckURI(uri string, unknown func(dump.AddressOption) error) error {
	return server.CheckURI(uri, unknown)
}

// URIOptions are the driver's, which does not tell their cases apart.
var URIOptions = server.URIOptions
