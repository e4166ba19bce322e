// Package mysql dumps the databases of a MySQL or MariaDB server over the wire and loads them back,
// without mysqldump or mysql on either side.
//
// A dump is what mysqldump --single-transaction --routines --triggers --events --hex-blob writes:
// definitions and rows as SQL text, read at one moment of the server. It loads with the mysql or
// mariadb client. Unlike mysqldump's it holds no date and no version of the program, ends with a
// manifest, keeps floating point numbers to the last bit, and equal data gives equal bytes.
//
// The facts about the servers that this package rests on are those of the two projects'
// mysqldump.cc, for MySQL 8.0 to 9.x and MariaDB 10.6 to 11.8.
package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Config says what to dump and how to reach it.
type Config struct {
	Server
	// Databases are the names of those to dump. One alone makes a dump without the database's name,
	// which goes into any database; several are made anew by their dump; none means all of the
	// server's, with its accounts.
	Databases []string
	// LockTimeout bounds the wait for a table that somebody holds locked. 0 means the server's own
	// bound.
	LockTimeout time.Duration
	// Jobs is the number of connections that read rows, besides the one that reads the definitions.
	// The bytes of the dump are the same for every number. 0 means 2.
	Jobs int
	// AllowEmpty lets a dump hold nothing. Without it that is an *dump.EmptyError.
	AllowEmpty bool
	// Position notes the binary log's position in a comment. It differs from run to run.
	Position bool
	// Table is told each table whose rows have all been written, as the manifest has it and in its
	// order, by the goroutine that writes: what it does holds the dump up. nil means nobody.
	Table func(dump.Table)
	// Debug is told of choices made on the way. nil means nobody.
	Debug func(string)
	// Warn is told what a dump leaves out or cannot vouch for. nil means nobody.
	Warn func(string)
}

// How a server is reached.
type (
	// A Server says how to reach a server and who one is there.
	Server = server.Config
	// TLS says how a connection is encrypted. A Unix socket is not.
	TLS = server.TLS
	// A TLSMode says what is asked of a connection.
	TLSMode = server.TLSMode
)

// The modes, after those of the mysql client.
const (
	TLSDisabled   = server.TLSDisabled
	TLSPreferred  = server.TLSPreferred
	TLSRequired   = server.TLSRequired
	TLSVerifyCA   = server.TLSVerifyCA
	TLSVerifyFull = server.TLSVerifyFull
)

// ErrNoKey is returned where a server asks for the password itself over a connection that is not
// encrypted.
var ErrNoKey = server.ErrNoKey

// ErrLost is returned of a connection that ended in the middle of a dump or a load: the server has
// ended it, or is no more, or the way to it is gone.
var ErrLost = server.ErrLost

// A PacketError is returned for a statement that is longer than the server takes.
type PacketError = server.PacketError

// ErrorNumber returns the number of the server's error that err wraps, or 0.
func ErrorNumber(err error) uint16 { return server.ErrorNumber(err) }

// A Source dumps databases. It holds no connection between dumps.
type Source struct {
	cfg  Config
	conn *mysql.Config
}

// NewSource reads the configuration and connects to nothing. An error is one of configuration and
// names the setting.
func NewSource(cfg Config) (*Source, error) {
	cc, err := cfg.Server.Driver()
	if err != nil {
		return nil, fmt.Errorf("mysql settings: %w", err)
	}
	cfg.Table, cfg.Warn, cfg.Debug = dump.OrNobody(cfg.Table), dump.OrNobody(cfg.Warn), dump.OrNobody(cfg.Debug)
	if cfg.Jobs == 0 {
		cfg.Jobs = 2
	}
	if cfg.Jobs < 0 {
		return nil, fmt.Errorf("mysql settings: %d jobs: at least 1 expected", cfg.Jobs)
	}
	for i, name := range cfg.Databases {
		switch {
		case name == "":
			return nil, fmt.Errorf("mysql settings: a database has no name")
		case slices.Contains(cfg.Databases[:i], name):
			return nil, fmt.Errorf("mysql settings: database %s is named twice", name)
		case server.Info{}.IsSystemSchema(name):
			return nil, fmt.Errorf("mysql settings: database %s is the server's own", name)
		}
	}
	return &Source{cfg: cfg, conn: cc}, nil
}

// Host returns the server's host, for naming backups: a socket is "localhost".
func (s *Source) Host() string { return s.cfg.Server.HostName() }

// Database returns the name of the database that is dumped; of several the names with commas
// between them, and the empty string for all.
func (s *Source) Database() string { return strings.Join(s.cfg.Databases, ",") }

// what names in errors what is dumped.
func (s *Source) what() string {
	if len(s.cfg.Databases) == 0 {
		return "all databases of " + s.Host()
	}
	return strings.Join(s.cfg.Databases, ", ")
}

// open opens a session with the settings of a dump.
func (s *Source) open(ctx context.Context) (*server.Conn, error) {
	return server.Open(ctx, s.conn, server.ForDump, s.cfg.LockTimeout)
}
