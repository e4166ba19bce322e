package postgres

import (
	"fmt"
	"regexp"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/scratch"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// ScratchConfig says where databases for drills are made. The role needs CREATEDB and nothing else
// for that; what a load of the dump needs comes to it, see LoadConfig.
type ScratchConfig struct {
	Conn     string // as in Config
	Password string // overrides the password of Conn and of PGPASSWORD
	// Database is the one that is connected to in order to make others. Empty: postgres, or where
	// that is not to be had template1, or else the database of Conn.
	Database string
	// Prefix is what the names begin with. Of what begins otherwise nothing is ever dropped.
	Prefix string
	// Owner is whom the databases are given to. Empty: the connecting role.
	Owner string
	// ConnectTimeout is as in Config.
	ConnectTimeout time.Duration
	// Warn is told of what looks like a drill's and stays. nil means nobody.
	Warn func(string)
}

// A Scratch makes databases for drills: see dump.Scratch. What a drill restores there into is what
// others wrote, functions that defaults, indexes, generated columns and views call, and it runs as
// the role that loads and asks: a server of its own, or a role that may do no more than needed,
// keeps it from doing harm.
//
// Each database is owned by the role that made it, or Owner, and nobody else may connect to it. It
// has the encoding of the dump's, and the locale of the server where that takes the encoding.
type Scratch struct{ *scratch.Scratch }

var _ dump.Scratch = Scratch{}

// NewScratch reads the configuration and connects to nothing. An error is one of configuration and
// names the setting.
func NewScratch(cfg ScratchConfig) (*Scratch, error) {
	cc, err := server.ParseConfig(cfg.Conn, "", cfg.Password, cfg.ConnectTimeout, cfg.Warn)
	if err != nil {
		return nil, fmt.Errorf("postgres settings: %w", err)
	}
	warn := dump.OrNobody(cfg.Warn)
	server.GuardPassword(cc, warn)
	return &Scratch{scratch.New(scratch.Config{Conn: cc, Database: cfg.Database, Prefix: cfg.Prefix, Owner: cfg.Owner, Warn: warn})}, nil
}

// TablesOf are, of a dump's manifest, the tables that a load of one database brings into another,
// by the names that a dump of that other one has for them. database is the one that is taken of a
// dump of several; empty: the dump is of one.
//
// A copy that is as it should be may still have other rows in tables that extensions keep for their
// own configuration, where the server makes another version of the extension.
func TablesOf(m dump.Manifest, database string) dump.Manifest {
	switch {
	case database == "":
		return m
	case plainName.MatchString(database): // it may be a keyword, which is quoted
		return append(m.Within(database+"."), m.Within(server.Ident(database)+".")...)
	}
	return m.Within(server.Ident(database) + ".")
}

var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)
