package mongo

import (
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/scratch"
)

// ScratchConfig says where databases for drills are made. As their names are not known before, and
// roles know no patterns, the user needs readWriteAnyDatabase, on a server with other databases no
// small right: a server of its own is better.
type ScratchConfig struct {
	Server
	// Prefix is what the names begin with. Of what begins otherwise nothing is ever dropped. Some
	// servers, as Atlas's shared tiers, take names of 38 bytes at most, of which 7 are left for it.
	Prefix string
}

// A Scratch makes databases for drills: see dump.Scratch. While one is there, there is another one
// beside it, in which the drill says that it lives.
type Scratch struct{ *scratch.Scratch }

var _ dump.Scratch = Scratch{}

// NewScratch reads the configuration and connects to nothing. An error is one of configuration and
// names the setting.
func NewScratch(cfg ScratchConfig) (*Scratch, error) {
	if err := cfg.Server.Check(); err != nil {
		return nil, fmt.Errorf("mongo settings: %w", err)
	}
	if err := namespace.CheckDatabase(cfg.Prefix); err != nil {
		return nil, fmt.Errorf("mongo settings: prefix: %w", err)
	}
	return &Scratch{scratch.New(scratch.Config{Server: cfg.Server, Prefix: cfg.Prefix})}, nil
}

// TablesOf are, of a dump's manifest, the collections that a load of one database brings into
// another, by their names without the database's. database is the one that is taken of a dump of
// several; empty: the dump is of one. Users and roles are not among them, nor an oplog.
func TablesOf(m dump.Manifest, database string) dump.Manifest {
	var of dump.Manifest
	for _, t := range m {
		db, name, _ := strings.Cut(t.Name, ".")
		if (database == "" || db == database) && namespace.IsLoaded(db, name) && !namespace.IsAuth(db, name) {
			of = append(of, dump.Table{Name: name, Rows: t.Rows, Hash: t.Hash})
		}
	}
	return of
}
