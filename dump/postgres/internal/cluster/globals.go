// Package cluster is what belongs to a server and to none of its databases, as pg_dumpall has it:
// roles with their memberships and settings, tablespaces, privileges on parameters, and the
// databases themselves with the statements that make them and give them their properties, or take
// those back. What is in a database is the catalogue's.
package cluster

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A cluster is what has been read of a server besides what is in its databases.
type cluster struct {
	conn  *pgx.Conn
	srv   server.Info
	warn  func(string)
	roles catalog.Roles

	Databases []Database // that can be connected to, in pg_dumpall's order
}

// Read reads the databases and the roles' names, over conn. warn is told what has to be left out.
func Read(ctx context.Context, conn *pgx.Conn, srv server.Info, warn func(string)) (*cluster, error) {
	c := &cluster{conn: conn, srv: srv, warn: warn}
	var err error
	if c.roles, err = catalog.ReadRoles(ctx, conn); err != nil {
		return nil, err
	}
	if c.Databases, err = c.readDatabases(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Write writes what belongs to no database, as pg_dumpall does.
func (c *cluster) Write(ctx context.Context, p *script.Printer) error {
	for _, write := range []func(context.Context, *script.Printer) error{
		c.writeRoles, c.writeRoleSettings, c.writeMemberships, c.writeParameterGrants, c.writeTablespaces, c.writeSharedLabels,
	} {
		if err := write(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// writeTablespaces writes the tablespaces that users made.
func (c *cluster) writeTablespaces(ctx context.Context, p *script.Printer) error {
	type row struct {
		Name     string // quoted
		Owner    uint32
		Location string
		Options  []string
		Comment  *string
		ACL      []string `db:"acl"`
		Def      []string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT quote_ident(spcname) AS name, spcowner AS owner,
		       -- One inside the data folder (allow_in_place_tablespaces) has a relative path and is made by the empty one.
		       CASE WHEN pg_tablespace_location(oid) ~ '^(/|[A-Za-z]:)' THEN pg_tablespace_location(oid) ELSE '' END AS location,
		       spcoptions AS options, shobj_description(oid, 'pg_tablespace') AS comment,
		       spcacl::text[] AS acl, acldefault('t', spcowner)::text[] AS def
		FROM pg_tablespace WHERE spcname !~ '^pg_' ORDER BY spcname`)
	if err != nil {
		return err
	}
	for _, t := range rows {
		p.Stmt("CREATE TABLESPACE %s LOCATION %s", t.Name, server.Literal(t.Location))
		if !p.NoOwner {
			p.Stmt("ALTER TABLESPACE %s OWNER TO %s", t.Name, c.roles[t.Owner].Quoted)
		}
		if options := catalog.TablespaceSettings(t.Options, t.Name, c.warn); len(options) > 0 {
			p.Stmt("ALTER TABLESPACE %s SET (%s)", t.Name, strings.Join(options, ", "))
		}
		granted, err := c.roles.GrantsOn("TABLESPACE "+t.Name, "", t.Owner, t.ACL, t.Def, c.warn)
		if err != nil {
			return err
		}
		granted.Print(p)
		if t.Comment != nil {
			p.Stmt("COMMENT ON TABLESPACE %s IS %s", t.Name, server.Literal(*t.Comment))
		}
	}
	return nil
}

// writeSharedLabels writes the security labels of roles and tablespaces.
func (c *cluster) writeSharedLabels(ctx context.Context, p *script.Printer) error {
	type row struct{ Statement string }
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT format('SECURITY LABEL FOR %I ON %s IS %L', provider, coalesce('ROLE ' || quote_ident(rolname), 'TABLESPACE ' || quote_ident(spcname)), label) AS statement
		FROM pg_shseclabel l LEFT JOIN pg_roles r ON classoid = 'pg_authid'::regclass AND objoid = r.oid
		LEFT JOIN pg_tablespace t ON classoid = 'pg_tablespace'::regclass AND objoid = t.oid
		WHERE coalesce(r.oid, t.oid) IS NOT NULL ORDER BY 1`)
	for _, l := range rows {
		p.Defined(l.Statement, "SECURITY LABEL FOR ")
	}
	return err
}
