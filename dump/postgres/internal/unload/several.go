package unload

import (
	"context"
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/cluster"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// several writes what pg_dumpall writes: roles, tablespaces, and every database with its
// properties, each read at one moment of its own. Of several databases that are named it writes
// these alone.
func (d *dumping) several(ctx context.Context) error {
	out := dump.NewWriter(&d.reserve, script.Cluster)
	databases, err := d.globals(ctx, out)
	if err != nil {
		return fmt.Errorf("dump roles and tablespaces: %w", err)
	}
	var manifest dump.Manifest
	for _, of := range databases {
		tables, err := d.member(ctx, out, of)
		if err != nil {
			return fmt.Errorf("dump database %s: %w", of.Name, err)
		}
		manifest = append(manifest, tables...)
	}
	if !d.full {
		if len(d.there) == 0 {
			for _, of := range databases {
				d.there = append(d.there, of.Name)
			}
		}
		return d.nothing(d.there)
	}
	d.tellUnused()
	return out.End(manifest)
}

// globals writes what belongs to no database and returns the databases.
func (d *dumping) globals(ctx context.Context, out *dump.Writer) ([]cluster.Database, error) {
	conn, srv, err := d.connect(ctx, d.Conn.Database)
	if err != nil {
		return nil, err
	}
	defer server.HangUp(conn)
	if err := begin(ctx, conn); err != nil {
		return nil, err
	}
	c, err := cluster.Read(ctx, conn, srv, d.Warn)
	if err != nil {
		return nil, err
	}
	if err := c.TellUnreachable(ctx, func(name string) bool { return d.asksFor(name, map[*choice.Pattern]bool{}) }); err != nil {
		return nil, err
	}
	names := make([]string, len(c.Databases))
	for i, of := range c.Databases {
		names[i] = of.Name
	}
	asked, err := d.asked(names)
	if err != nil {
		return nil, err
	}
	databases := slices.DeleteFunc(c.Databases, func(of cluster.Database) bool { return !slices.Contains(asked, of.Name) })
	if err := cluster.CheckNames(databases); err != nil {
		return nil, err
	}
	out.Begin(dump.Definitions, "")
	for _, of := range databases {
		out.WriteString(script.DatabaseLine(of.Name))
	}
	p := d.printer(out)
	for _, sql := range server.Preamble(srv) {
		p.Stmt("%s", sql)
	}
	if d.Clean {
		p.Mark("drop the databases that are made below")
		for _, of := range databases {
			if !of.Exists {
				p.Stmt("DROP DATABASE IF EXISTS %s", of.Quoted)
			}
		}
	}
	if d.All {
		if err := c.Write(ctx, p); err != nil {
			return nil, err
		}
	}
	return databases, p.Err()
}

// member writes one database of several.
func (d *dumping) member(ctx context.Context, out *dump.Writer, of cluster.Database) (dump.Manifest, error) {
	p := d.printer(out)
	out.Begin(dump.Definitions, of.Quoted)
	p.Mark("database")
	if !of.Exists {
		p.Stmt("%s", of.Create)
	}
	fmt.Fprintf(out, "%s\n\n", script.ConnectCommand(of.Name))
	manifest, err := d.database(ctx, out, of.Name, of.Quoted)
	if err != nil {
		return nil, err
	}
	p.Mark("properties of the database")
	of.Properties(p)
	return manifest, p.Err()
}

// asked picks the databases that the configuration names, all but those of drills where it names
// none. It warns of patterns that fit none, and that there are none is an error where an empty dump
// is not allowed.
func (c Config) asked(names []string) ([]string, error) {
	used := map[*choice.Pattern]bool{}
	var list []string
	for _, name := range names {
		switch {
		case dump.IsScratchName(name): // it may be dropped at any moment, and holds what a backup holds
			c.Debug("left out, as it is a drill's: database " + name)
		case c.asksFor(name, used):
			list = append(list, name)
		}
	}
	for _, p := range append(slices.Clone(c.Databases), c.NotDatabases...) {
		if !used[p] {
			c.Warn("no database fits " + p.Text)
		}
	}
	if len(list) == 0 && !c.AllowEmpty {
		return nil, c.nothing(names)
	}
	return list, nil
}

// asksFor tells whether the configuration names a database, or none. used notes the patterns that
// fit.
func (c Config) asksFor(name string, used map[*choice.Pattern]bool) bool {
	return (len(c.Databases) == 0 || c.Databases.Match(used, "", name)) && !c.NotDatabases.Match(used, "", name)
}
