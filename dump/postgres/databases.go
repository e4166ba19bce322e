package postgres

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/cluster"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// dumpCluster writes what pg_dumpall writes: roles, tablespaces, and every database with its
// properties, each read at one moment of its own. Of several databases that are named it writes
// these alone.
func (s *Source) dumpCluster(ctx context.Context, w io.Writer) error {
	run := s.newDumping(w)
	out := dump.NewWriter(run, script.Cluster)
	databases, err := s.dumpGlobals(ctx, out)
	if err != nil {
		return fmt.Errorf("dump roles and tablespaces: %w", err)
	}
	var manifest dump.Manifest
	for _, d := range databases {
		tables, err := run.dumpMember(ctx, out, d)
		if err != nil {
			return fmt.Errorf("dump database %s: %w", d.Name, err)
		}
		manifest = append(manifest, tables...)
	}
	if !run.full {
		if len(run.there) == 0 {
			for _, d := range databases {
				run.there = append(run.there, d.Name)
			}
		}
		return s.nothing(run.there)
	}
	run.tellUnused()
	return out.End(manifest)
}

// dumpGlobals writes what belongs to no database and returns the databases.
func (s *Source) dumpGlobals(ctx context.Context, out *dump.Writer) ([]cluster.Database, error) {
	conn, srv, err := s.connect(ctx, s.conn.Database)
	if err != nil {
		return nil, err
	}
	defer server.HangUp(conn)
	if err := begin(ctx, conn); err != nil {
		return nil, err
	}
	c, err := cluster.Read(ctx, conn, srv, s.cfg.Warn)
	if err != nil {
		return nil, err
	}
	if err := c.TellUnreachable(ctx, func(name string) bool { return s.asksFor(name, map[*choice.Pattern]bool{}) }); err != nil {
		return nil, err
	}
	names := make([]string, len(c.Databases))
	for i, d := range c.Databases {
		names[i] = d.Name
	}
	wanted, err := s.wanted(names)
	if err != nil {
		return nil, err
	}
	databases := slices.DeleteFunc(c.Databases, func(d cluster.Database) bool { return !slices.Contains(wanted, d.Name) })
	if err := cluster.CheckNames(databases); err != nil {
		return nil, err
	}
	out.Begin(dump.Definitions, "")
	for _, d := range databases {
		out.WriteString(script.DatabaseLine(d.Name))
	}
	p := s.printer(out)
	for _, sql := range server.Preamble(srv) {
		p.Stmt("%s", sql)
	}
	if s.cfg.Clean {
		p.Mark("drop the databases that are made below")
		for _, d := range databases {
			if !d.Exists {
				p.Stmt("DROP DATABASE IF EXISTS %s", d.Quoted)
			}
		}
	}
	if s.cfg.AllDatabases {
		if err := c.Write(ctx, p); err != nil {
			return nil, err
		}
	}
	return databases, p.Err()
}

// dumpMember writes one database of the cluster.
func (d *dumping) dumpMember(ctx context.Context, out *dump.Writer, of cluster.Database) (dump.Manifest, error) {
	p := d.printer(out)
	out.Begin(dump.Definitions, of.Quoted)
	p.Mark("database")
	if !of.Exists {
		p.Stmt("%s", of.Create)
	}
	fmt.Fprintf(out, "%s\n\n", script.ConnectCommand(of.Name))
	manifest, err := d.dumpDatabase(ctx, out, of.Name, of.Quoted)
	if err != nil {
		return nil, err
	}
	p.Mark("properties of the database")
	of.Properties(p)
	return manifest, p.Err()
}

// wanted picks the databases that the configuration names, all where it names none.
func (s *Source) wanted(names []string) ([]string, error) {
	used := map[*choice.Pattern]bool{}
	var list []string
	for _, name := range names {
		if s.asksFor(name, used) {
			list = append(list, name)
		}
	}
	for _, p := range append(slices.Clone(s.databases), s.notDatabases...) {
		if !used[p] {
			s.cfg.Warn("no database fits " + p.Text)
		}
	}
	if len(list) == 0 && !s.cfg.AllowEmpty {
		return nil, s.nothing(names)
	}
	return list, nil
}

// asksFor tells whether the configuration names a database, or none. used notes the patterns that
// fit.
func (s *Source) asksFor(name string, used map[*choice.Pattern]bool) bool {
	return (len(s.databases) == 0 || s.databases.Match(used, "", name)) && !s.notDatabases.Match(used, "", name)
}
