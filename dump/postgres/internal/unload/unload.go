// Package unload writes a dump of one database, or of several of a server, and says beforehand
// whether there would be anything in it. It is the opposite of load.
//
// Its own are the order of a dump's large parts, the sessions and transactions that they are read
// in, and when a dump counts as empty. What is in the parts is the business of the rooms below:
// definitions of catalog, rows of rows, what belongs to no database of cluster, patterns of choice.
package unload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/rows"
)

// A Config says what is dumped, and how it is read. It is checked already; no function is nil.
type Config struct {
	// Conn is the way to the server. Its database is the one that is dumped, or of several the one
	// connected to first.
	Conn *pgx.ConnConfig
	// All dumps all databases, and roles and tablespaces with them.
	All bool
	// Databases, if there are any, are those that are dumped; NotDatabases go before them.
	Databases, NotDatabases choice.Patterns
	// Select is the part of each database that is dumped.
	Select *choice.Rules
	// RowOrder, Jobs, LockTimeout and TrustOwners are how rows are read: see rows.Config.
	RowOrder    rows.Order
	Jobs        int
	LockTimeout time.Duration
	TrustOwners bool
	// NoOwner leaves out who owns what, NoPrivileges GRANT and REVOKE.
	NoOwner, NoPrivileges bool
	// Clean has the dump drop what it makes first, where it exists.
	Clean bool
	// AllowEmpty makes a dump that holds nothing, where without it there is a *dump.EmptyError.
	AllowEmpty bool
	// Table is told each table whose rows have all been written, by the goroutine that writes.
	Table func(dump.Table)
	// Debug is told of choices made on the way, Warn what a dump leaves out or cannot vouch for.
	Debug, Warn func(string)
}

// Several tells whether the dump names its databases, each with what makes it.
func (c Config) Several() bool { return c.All || len(c.Databases) > 0 }

// Run writes the dump to w, its last line only when all before it is written: see dump.Source.
func Run(ctx context.Context, cfg Config, w io.Writer) error {
	d := newDumping(cfg, w)
	run := d.one
	if cfg.Several() {
		run = d.several
	}
	err := run(ctx)
	if errors.Is(err, catalog.ErrGone) { // which the next dump need not meet
		err = &dump.PassingError{Err: err}
	}
	return err
}

// A dumping is one dump under way.
type dumping struct {
	Config
	reserve

	told map[string]bool          // what was warned of once for all databases
	used map[*choice.Pattern]bool // the selection's patterns that fit something, in any database
}

func newDumping(cfg Config, w io.Writer) *dumping {
	return &dumping{
		Config: cfg, reserve: reserve{w: w, full: cfg.AllowEmpty},
		told: map[string]bool{}, used: map[*choice.Pattern]bool{},
	}
}

// tellUnknown warns of what is not known, of the same once.
func (d *dumping) tellUnknown(ctx context.Context, c *catalog.Database) error {
	list, err := c.Unknown(ctx)
	if err != nil {
		return fmt.Errorf("look for what is not known: %w", err)
	}
	for _, s := range list {
		if !d.told[s] {
			d.told[s] = true
			d.Warn(s)
		}
	}
	return nil
}

// tellUnused warns of patterns that fit nothing, in none of the databases.
func (d *dumping) tellUnused() {
	for _, text := range d.Select.Unused(d.used) {
		d.Warn(text)
	}
}
