package unload

import (
	"cmp"
	"context"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/rows"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// one writes a dump of one database.
func (d *dumping) one(ctx context.Context) error {
	name := script.OneDatabase
	if d.Select.DataOnly {
		name = script.RowsAlone
	}
	out := dump.NewWriter(&d.reserve, name)
	manifest, err := d.database(ctx, out, d.Conn.Database, "")
	if err != nil {
		return fmt.Errorf("dump %s: %w", d.Conn.Database, err)
	}
	d.tellUnused()
	return out.End(manifest)
}

// connect opens a session of the dump's in a database.
func (c Config) connect(ctx context.Context, database string) (*pgx.Conn, server.Info, error) {
	return server.Connect(ctx, c.Conn, database, server.ForReading(c.LockTimeout))
}

// database writes one database, read in one transaction. name is what the dump calls it, quoted;
// empty in a dump of one.
func (d *dumping) database(ctx context.Context, out *dump.Writer, database, name string) (dump.Manifest, error) {
	conn, srv, err := d.connect(ctx, database)
	if err != nil {
		return nil, err
	}
	defer server.HangUp(conn)
	open := func(ctx context.Context) (*pgx.Conn, error) {
		conn, _, err := d.connect(ctx, database)
		return conn, err
	}
	manifest, err := d.connected(ctx, conn, srv, out, name, open)
	return manifest, server.Explain(ctx, srv, server.Ended(conn.PgConn(), err), open)
}

func (d *dumping) connected(ctx context.Context, conn *pgx.Conn, srv server.Info, out *dump.Writer, name string, open func(context.Context) (*pgx.Conn, error)) (dump.Manifest, error) {
	if err := begin(ctx, conn); err != nil {
		return nil, err
	}
	c, err := catalog.Read(ctx, conn, srv, d.Select, d.Warn)
	if err != nil {
		return nil, err
	}
	maps.Copy(d.used, c.Used)
	if err := d.tellUnknown(ctx, c); err != nil {
		return nil, err
	}
	in := rows.New(conn, srv, rows.Config{
		Database: name, Order: d.RowOrder, Jobs: d.Jobs, Open: open, LockTimeout: d.LockTimeout, TrustOwners: d.TrustOwners, Table: d.Table, Debug: d.Debug, Warn: d.Warn,
	})
	defer in.Close()
	c.AddData()
	states, err := in.SequenceStates(ctx, c.Sequences())
	if err != nil {
		return nil, err
	}
	c.AddStates(states)
	d.look(c)
	if !d.full && !d.Several() {
		return nil, d.nothingIn(ctx, conn)
	}
	p := d.printer(out)
	var manifest dump.Manifest
	err = c.Write(p, d.Clean, catalog.Content{
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

func (c Config) printer(out *dump.Writer) *script.Printer {
	p := script.NewPrinter(out, c.Warn)
	p.NoOwner, p.NoPrivileges = c.NoOwner, c.NoPrivileges
	return p
}
