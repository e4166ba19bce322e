// Package postgres dumps a PostgreSQL database over the wire and loads it back, without pg_dump or
// psql on either side.
//
// A dump is what pg_dump writes: the definitions in the order of their dependencies, each table's
// rows as COPY sends them with its keys and indexes behind them, then what joins tables, foreign
// keys and triggers, read at one moment of the database. It loads with psql -v ON_ERROR_STOP=1.
// Unlike pg_dump's it holds no date and no version of the program, ends with a manifest, and equal
// data gives equal bytes.
//
// The facts about PostgreSQL's catalogs that this package rests on are those of pg_dump's sources
// (src/bin/pg_dump) for servers 13 to 18.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/rows"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/unload"
)

// Config says what to dump and how to reach it.
type Config struct {
	// Conn is a libpq connection string, keywords or URI. What it leaves out comes from the
	// environment as libpq takes it: PGHOST, PGSERVICE, PGPASSFILE, PGSSLMODE and so on.
	Conn string
	// Database overrides the database of Conn and of PGDATABASE.
	Database string
	// Password overrides the password of Conn and of PGPASSWORD.
	Password string
	// AllDatabases dumps the cluster as pg_dumpall does. Database is then the one connected to
	// first.
	AllDatabases bool
	// Databases, if there are any, are patterns of the databases that are dumped, one after
	// another, each with its properties, as pg_dump --create does; with AllDatabases roles and
	// tablespaces too. ExcludeDatabases goes before them.
	Databases, ExcludeDatabases []string
	// ConnectTimeout bounds a handshake, from dialling to the server's word that it is ready, of
	// each server that is named; connect_timeout of Conn or the environment goes before it. 0 means
	// no bound.
	ConnectTimeout time.Duration
	// LockTimeout bounds the wait for a table that somebody holds locked. 0 means no bound.
	LockTimeout time.Duration
	// Jobs is the number of connections that read rows, besides the one that reads the definitions.
	// The bytes of the dump are the same for every number. 0 means 2.
	Jobs int
	// RowOrder is the order in which rows leave. Empty means OrderAuto.
	RowOrder RowOrder
	// TrustOwners says that the owners of tables and schemas may run code as the dumping role:
	// tables are then read in pieces and in the order of their keys also where the role cannot keep
	// others from putting code of theirs in the planner's way: see package trust.
	TrustOwners bool
	// Select is the part of the database that is dumped. With AllDatabases it applies to each.
	Select Selection
	// NoOwner leaves out who owns what, NoPrivileges GRANT and REVOKE, the default privileges
	// included.
	NoOwner, NoPrivileges bool
	// Clean has the dump drop what it makes first, where it exists.
	Clean bool
	// AllowEmpty makes a dump that holds nothing, where without it there is a *dump.EmptyError:
	// nothing fits the patterns, or nobody made anything in the database, or in any of several.
	AllowEmpty bool
	// Table is told each table whose rows have all been written, as the manifest has it and in its
	// order, by the goroutine that writes: what it does holds the dump up. nil means nobody.
	Table func(dump.Table)
	// Debug is told of choices made on the way. nil means nobody.
	Debug func(string)
	// Warn is told what a dump leaves out or cannot vouch for. nil means nobody.
	Warn func(string)
}

// A Selection says which part of a database is dumped: see package choice. The zero value is all of
// it.
type Selection = choice.Selection

// SplitPatterns parts a list of patterns at its commas. Blanks around a pattern do not count, and a
// comma within double quotes is part of a name.
func SplitPatterns(list string) []string { return choice.Split(list) }

// A RowOrder says in which order a table's rows leave.
type RowOrder = rows.Order

// The orders of rows.
const (
	OrderAuto     = rows.Auto
	OrderKey      = rows.ByKey
	OrderPhysical = rows.Physical
)

// A Source dumps a database, or a cluster. It holds no connection between dumps.
type Source struct{ cfg unload.Config }

// NewSource reads the configuration and connects to nothing. An error is one of configuration and
// names the setting.
func NewSource(cfg Config) (*Source, error) {
	cc, err := server.ParseConfig(cfg.Conn, cfg.Database, cfg.Password, cfg.ConnectTimeout, cfg.Warn)
	if err != nil {
		return nil, fmt.Errorf("postgres settings: %w", err)
	}
	out := unload.Config{
		Conn: cc, All: cfg.AllDatabases, RowOrder: cfg.RowOrder, Jobs: cfg.Jobs, LockTimeout: cfg.LockTimeout, TrustOwners: cfg.TrustOwners,
		NoOwner: cfg.NoOwner, NoPrivileges: cfg.NoPrivileges, Clean: cfg.Clean, AllowEmpty: cfg.AllowEmpty,
		Table: dump.OrNobody(cfg.Table), Debug: dump.OrNobody(cfg.Debug), Warn: dump.OrNobody(cfg.Warn),
	}
	if out.Jobs == 0 {
		out.Jobs = 2
	}
	switch out.RowOrder {
	case "":
		out.RowOrder = OrderAuto
	case OrderAuto, OrderKey, OrderPhysical:
	default:
		return nil, fmt.Errorf("postgres settings: row order %q: auto, key or physical expected", cfg.RowOrder)
	}
	if out.Jobs < 0 {
		return nil, fmt.Errorf("postgres settings: %d jobs: at least 1 expected", cfg.Jobs)
	}
	if out.Select, err = cfg.Select.Parse(); err != nil {
		return nil, fmt.Errorf("postgres settings: %w", err)
	}
	if cfg.Clean && cfg.Select.DataOnly {
		return nil, errors.New("postgres settings: clean and data only: one of them expected")
	}
	server.GuardPassword(cc, out.Warn)
	if out.Databases, err = choice.ParsePatterns(cfg.Databases, 1); err != nil {
		return nil, fmt.Errorf("postgres settings: databases: %w", err)
	}
	if out.NotDatabases, err = choice.ParsePatterns(cfg.ExcludeDatabases, 1); err != nil {
		return nil, fmt.Errorf("postgres settings: excluded databases: %w", err)
	}
	if len(cfg.ExcludeDatabases) > 0 && !out.Several() {
		return nil, errors.New("postgres settings: excluded databases: only of all databases, or of several")
	}
	if cfg.Select.DataOnly && out.Several() {
		return nil, errors.New("postgres settings: data only: of one database")
	}
	return &Source{out}, nil
}

// Dump writes the database as SQL. See dump.Source.
func (s *Source) Dump(ctx context.Context, w io.Writer) error { return unload.Run(ctx, s.cfg, w) }

// Survey connects, names the database, and finds out whether there is anything to dump. It locks
// nothing. Whether several databases hold anything it looks where an empty dump is allowed; where
// it is not, the dump says so in time.
func (s *Source) Survey(ctx context.Context) (dump.Survey, error) { return unload.Survey(ctx, s.cfg) }

// ListDatabases connects, and returns the names of the databases that a dump of several by these
// settings would hold, or without patterns one of all, each of which is to be dumped by itself.
// They are sorted. What every server has and nobody has put anything into is not among them.
func (s *Source) ListDatabases(ctx context.Context) ([]string, error) {
	return unload.Databases(ctx, s.cfg)
}

// Host returns the database's host, for naming backups: a socket folder is "localhost".
func (s *Source) Host() string { return server.HostName(s.cfg.Conn.Host) }

// Database returns the name of the database that is dumped, or connected to first.
func (s *Source) Database() string { return s.cfg.Conn.Database }
