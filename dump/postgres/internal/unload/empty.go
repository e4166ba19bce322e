package unload

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/cluster"
)

// A reserve keeps back what is written to it until something is found that makes the dump one that
// is not empty, which of several databases may be in the last. An empty dump so writes nothing.
type reserve struct {
	w     io.Writer
	held  []byte   // nil once something was found
	full  bool     // something was found, or need not be
	there []string // tables that nobody asked for, while nothing was found
}

// Write implements io.Writer.
func (r *reserve) Write(p []byte) (int, error) {
	if !r.full {
		r.held = append(r.held, p...)
		return len(p), nil
	}
	if len(r.held) > 0 {
		held := r.held
		r.held = nil
		if _, err := r.w.Write(held); err != nil {
			return 0, err
		}
	}
	return r.w.Write(p)
}

// look finds out whether the dump holds anything of a database.
func (r *reserve) look(c *catalog.Database) {
	switch {
	case r.full:
	case !c.IsEmpty():
		r.full = true
	default:
		r.there = append(r.there, c.TableNames()...)
	}
}

// nothingIn is the error of a dump of one database that would be empty.
func (d *dumping) nothingIn(ctx context.Context, conn *pgx.Conn) error {
	if len(d.there) == 0 {
		names, err := cluster.DatabaseNames(ctx, conn)
		if err != nil {
			return err
		}
		d.there = d.instead(nil, names)
	}
	return d.nothing(d.there)
}

// nothing is the error of a dump that would be empty, where there are others.
func (c Config) nothing(there []string) error {
	all := "all databases"
	if !c.All {
		all = fmt.Sprintf("database %+q", c.Conn.Database)
	}
	return &dump.EmptyError{Asked: c.Select.Describe(c.Databases, c.NotDatabases, all), There: there}
}

// instead names what is there where nothing is to be dumped: the tables, or where the database has
// none the server's other databases.
func (c Config) instead(found catalog.Findings, databases []string) []string {
	var list []string
	for _, f := range found {
		if f.Name != "" {
			list = append(list, f.Schema+"."+f.Name)
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, name := range databases {
		if name != c.Conn.Database && name != "template1" {
			list = append(list, name)
		}
	}
	return list
}
