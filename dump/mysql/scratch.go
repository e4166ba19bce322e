package mysql

import (
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/scratch"
)

// ScratchConfig says where databases for drills are made. The account needs all that it does there,
// on databases with the prefix alone:
//
//	GRANT ALL PRIVILEGES ON `drill\_%`.* TO …
//
// Views, routines, triggers and events have definers: to load those of others takes SET USER in
// MariaDB, SET_ANY_DEFINER or before 8.2 SET_USER_ID in MySQL, with which a definer of more rights
// than the account's can be named; to read routines back takes SELECT ON mysql.proc, or
// SHOW_ROUTINE.
type ScratchConfig struct {
	Server
	// Prefix is what the names begin with. Of what begins otherwise nothing is ever dropped.
	Prefix string
	// NoBinlog keeps databases that are made and dropped out of the server's binary log, and so
	// from its replicas. The loads into them have to be told the same.
	NoBinlog bool
}

// A Scratch makes databases for drills: see dump.Scratch. What a drill restores there into is what
// others wrote, views, routines, triggers and events: a server of its own, or an account that may
// do nothing but in databases with the prefix, keeps it from doing harm.
type Scratch struct{ *scratch.Scratch }

var _ dump.Scratch = Scratch{}

// NewScratch reads the configuration and connects to nothing. An error is one of configuration and
// names the setting.
func NewScratch(cfg ScratchConfig) (*Scratch, error) {
	cc, err := cfg.Server.Driver()
	if err != nil {
		return nil, fmt.Errorf("mysql settings: %w", err)
	}
	return &Scratch{scratch.New(scratch.Config{Driver: cc, Prefix: cfg.Prefix, NoBinlog: cfg.NoBinlog})}, nil
}

// TablesOf are, of a dump's manifest, the tables that a load of one database brings into another,
// by the names that a dump of that other one has for them. database is the one that is taken of a
// dump of several; empty: the dump is of one.
//
// A copy that is as it should be may still be other text where another server writes numbers
// otherwise: FLOAT and DOUBLE between MySQL and MariaDB, or between versions far apart.
func TablesOf(m dump.Manifest, database string) dump.Manifest {
	if database == "" {
		return m
	}
	return m.Within(quote.Name(database) + ".")
}
