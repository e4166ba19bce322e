package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

func readSchemas(ctx context.Context, c *Database) error {
	type row struct {
		header
		Raw string
		ACL []string `db:"acl"`
		Def []string
	}
	schemas, err := server.Query[row](ctx, c.conn, `
		SELECT n.oid, 0::oid AS schema, quote_ident(nspname) AS name, nspowner AS owner, nspname AS raw,
		       nspacl::text[] AS acl,
		       `+initial("pg_namespace", "n.oid", "'n'", "nspowner", "nspacl")+`
		FROM pg_namespace n ORDER BY nspname`)
	c.counted("schemas", users(schemas, func(r row) uint32 { return r.OID }), "SELECT count(*) FROM pg_namespace WHERE oid >= $1")
	for _, n := range schemas {
		o := c.add(&object{Address: Address{class: classNamespace, OID: n.OID}, kind: kindSchema, word: "SCHEMA"}, n.header)
		c.schemaNames[n.OID] = n.Raw
		if n.Raw == "public" {
			n.Def = c.readPublic(o, n.Owner)
		}
		if err := c.grantOn(o, "SCHEMA", n.Owner, n.ACL, n.Def); err != nil {
			return err
		}
		switch {
		case n.Raw == "public":
		case strings.HasPrefix(n.Raw, "pg_") || n.Raw == "information_schema":
			// What somebody granted on the catalogues themselves is kept.
			if o.system, o.state = true, mute; n.Raw == "pg_catalog" {
				o.state = given
			}
		default:
			o.define = func(p *script.Printer) { p.Stmt("CREATE SCHEMA %s", o.Name) }
		}
		if !o.state.hidden() {
			o.state = c.ofSchema(n.Raw)
		}
	}
	return err
}

// What initdb makes (pg_authid.dat, pg_namespace.dat).
const (
	pgDatabaseOwner    = 6171
	publicSchemaText   = "standard public schema"
	ownersPublicSchema = 150000 // since this version public belongs to pg_database_owner
)

// readPublic says what of the schema public differs from the one that every new database has: it
// cannot be created, only altered. It returns what initdb grants on it: everything to its owner,
// and to everybody usage, before 15 also the right to create.
func (c *Database) readPublic(o *object, owner uint32) (born []string) {
	usual := uint32(BootstrapUser)
	if c.srv.Version >= ownersPublicSchema {
		usual = pgDatabaseOwner
	}
	if owner == usual {
		o.owner = ""
	}
	if o.owner != "" {
		o.define = func(*script.Printer) {}
	}
	switch at := slices.IndexFunc(o.comments, func(k comment) bool { return k.text == publicSchemaText }); {
	case at >= 0:
		o.comments = nil
	case len(o.comments) == 0:
		o.comments = []comment{{target: "SCHEMA public"}}
	}
	everybody := "=U/"
	if c.srv.Version < ownersPublicSchema {
		everybody = "=UC/"
	}
	name := aclName(c.roles[owner].name)
	return []string{name + "=UC/" + name, everybody + name}
}
