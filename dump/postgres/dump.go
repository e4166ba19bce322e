package postgres

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/cluster"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/rows"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Dump writes the database as SQL. See dump.Source.
func (s *Source) Dump(ctx context.Context, w io.Writer) error {
	if s.several() {
		return s.dumpCluster(ctx, w)
	}
	name := script.OneDatabase
	if s.sel.DataOnly {
		name = script.RowsAlone
	}
	d := s.newDumping(w)
	out := dump.NewWriter(d, name)
	manifest, err := d.dumpDatabase(ctx, out, s.conn.Database, "")
	if err != nil {
		return fmt.Errorf("dump %s: %w", s.conn.Database, err)
	}
	d.tellUnused()
	return out.End(manifest)
}

// connect opens a session of the dump's in a database.
func (s *Source) connect(ctx context.Context, database string) (*pgx.Conn, server.Info, error) {
	return server.Connect(ctx, s.conn, database, server.ForReading(s.cfg.LockTimeout))
}

// dumpDatabase writes one database, read in one transaction. name is what the dump calls it,
// quoted; empty in a dump of one.
func (d *dumping) dumpDatabase(ctx context.Context, out *dump.Writer, database, name string) (dump.Manifest, error) {
	conn, srv, err := d.connect(ctx, database)
	if err != nil {
		return nil, err
	}
	defer server.HangUp(conn)
	open := func(ctx context.Context) (*pgx.Conn, error) {
		conn, _, err := d.connect(ctx, database)
		return conn, err
	}
	manifest, err := d.dumpConnected(ctx, conn, srv, out, name, open)
	return manifest, server.Explain(ctx, srv, err, open)
}

func (d *dumping) dumpConnected(ctx context.Context, conn *pgx.Conn, srv server.Info, out *dump.Writer, name string, open func(context.Context) (*pgx.Conn, error)) (dump.Manifest, error) {
	if err := begin(ctx, conn); err != nil {
		return nil, err
	}
	c, err := catalog.Read(ctx, conn, srv, d.sel, d.cfg.Warn)
	if err != nil {
		return nil, err
	}
	maps.Copy(d.used, c.Used)
	if err := d.tellUnknown(ctx, c); err != nil {
		return nil, err
	}
	in := rows.New(conn, srv, rows.Config{
		Database: name, Order: d.cfg.RowOrder, Jobs: d.cfg.Jobs, Open: open, LockTimeout: d.cfg.LockTimeout, TrustOwners: d.cfg.TrustOwners, Debug: d.cfg.Debug, Warn: d.cfg.Warn,
	})
	defer in.Close()
	c.AddData()
	states, err := in.SequenceStates(ctx, c.Sequences())
	if err != nil {
		return nil, err
	}
	c.AddStates(states)
	d.look(c)
	if !d.full && !d.several() {
		if len(d.there) == 0 {
			names, err := cluster.DatabaseNames(ctx, conn)
			if err != nil {
				return nil, err
			}
			d.there = d.instead(nil, names)
		}
		return nil, d.nothing(d.there)
	}
	p := d.printer(out)
	var manifest dump.Manifest
	err = c.Write(p, d.cfg.Clean, catalog.Content{
		Begin: func(kind dump.Kind) { out.Begin(kind, name) },
		Rows: func(tables []*catalog.Relation, behind func(*catalog.Relation) error) (err error) {
			manifest, err = in.Write(ctx, out, tables, behind)
			return err
		},
		LargeObject: func(oid uint32) error { return in.WriteLargeObject(ctx, p, oid) },
	})
	return manifest, cmp.Or(err, ctx.Err())
}

// begin starts the transaction whose snapshot is the moment of the dump.
func begin(ctx context.Context, conn *pgx.Conn) error {
	if err := server.Exec(ctx, conn.PgConn(), "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"); err != nil {
		return fmt.Errorf("begin the dump's transaction: %w", err)
	}
	return nil
}

func (s *Source) printer(out *dump.Writer) *script.Printer {
	p := script.NewPrinter(out, s.cfg.Warn)
	p.NoOwner, p.NoPrivileges = s.cfg.NoOwner, s.cfg.NoPrivileges
	return p
}
