package catalog

import (
	"context"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

func readExtensions(ctx context.Context, c *Database) error {
	type row struct {
		header
		Into string // its schema, quoted
	}
	exts, err := server.Query[row](ctx, c.conn, `
		SELECT x.oid, x.extnamespace AS schema, quote_ident(x.extname) AS name, 0::oid AS owner, quote_ident(n.nspname) AS into
		FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace ORDER BY x.extname`)
	if err != nil {
		return err
	}
	c.counted("extensions", len(exts), "SELECT count(*) FROM pg_extension")
	for _, x := range exts {
		// The schema is tied by pg_depend, the other way round where the extension brings its own.
		h := x.header
		h.Schema = 0
		o := c.add(&object{Address: Address{class: classExtension, OID: x.OID}, kind: kindExtension, word: "EXTENSION"}, h)
		// plpgsql comes with every new database; one that was made anew does not have initdb's OID.
		if x.OID < server.FirstNormal {
			o.state = o.state.toOthers()
		}
		o.define = func(p *script.Printer) { p.Stmt("CREATE EXTENSION IF NOT EXISTS %s WITH SCHEMA %s", x.Name, x.Into) }
	}
	type member struct{ Class, Object, Extension uint32 }
	members, err := server.Query[member](ctx, c.conn, `
		SELECT classid AS class, objid AS object, refobjid AS extension FROM pg_depend
		WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass`)
	for _, m := range members {
		c.members[Address{m.Class, m.Object}] = m.Extension
	}
	return err
}
