package postgres

import (
	"context"
	"fmt"
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

	databases []database // that can be connected to, in pg_dumpall's order
}

// readCluster reads the databases and the roles' names, over conn. warn is told what has to be left out.
func readCluster(ctx context.Context, conn *pgx.Conn, srv server.Info, warn func(string)) (*cluster, error) {
	c := &cluster{conn: conn, srv: srv, warn: warn}
	var err error
	if c.roles, err = catalog.ReadRoles(ctx, conn); err != nil {
		return nil, err
	}
	if c.databases, err = c.readDatabases(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// writeGlobals writes what belongs to no database, as pg_dumpall does.
func (c *cluster) writeGlobals(ctx context.Context, p *script.Printer) error {
	for _, write := range []func(context.Context, *script.Printer) error{
		c.writeRoles, c.writeRoleSettings, c.writeMemberships, c.writeParameterGrants, c.writeTablespaces, c.writeSharedLabels,
	} {
		if err := write(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// A database of the cluster, with the statements that make it and those that
// give it its properties.
type database struct {
	Name, Quoted string
	exists       bool // in every new cluster
	create       string
	properties   func(*script.Printer)
	without      func() []string // statements that take the properties back, of those that there are
}

// checkNames refuses names that psql cannot be told: a meta-command ends with its line, whatever quotes are open, and
// the rest of such a name would be the next command (pg_dumpall refuses them too).
func checkNames(databases []database) error {
	for _, d := range databases {
		if strings.ContainsAny(d.Name, "\r\n") {
			return fmt.Errorf("database %q: a name with a line break cannot be written for psql; rename it", d.Name)
		}
	}
	return nil
}

// tellUnreachable tells of databases that are left out because nobody can connect to them, of those that are asked for.
func (c *cluster) tellUnreachable(ctx context.Context, asked func(name string) bool) error {
	type row struct {
		Name    string
		Invalid bool
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT datname::text AS name, datconnlimit = -2 AS invalid FROM pg_database WHERE (NOT datallowconn OR datconnlimit = -2) AND datname <> 'template0' ORDER BY 1`)
	for _, r := range rows {
		switch {
		case !asked(r.Name):
		case r.Invalid:
			c.warn(fmt.Sprintf("database %q is left out: it is what an interrupted DROP DATABASE has left; drop it", r.Name))
		default:
			c.warn(fmt.Sprintf("database %q is left out: it allows no connections; ALTER DATABASE %s ALLOW_CONNECTIONS true, or exclude it", r.Name, server.Ident(r.Name)))
		}
	}
	return err
}

// databaseNames lists the databases that a dump of all of them holds, in its order.
func databaseNames(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, `SELECT datname FROM pg_database WHERE `+dumpedDatabases)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

type databaseRow struct {
	OID                      uint32 `db:"oid"`
	Name                     string // quoted
	Owner                    uint32
	Raw                      string
	Encoding, Collate, Ctype string
	Provider                 string
	Locale, Rules            *string
	Template                 bool
	Limit                    int32
	Tablespace               *string
	Comment                  *string
	Labels                   []string // the statements of its security labels
	ACL                      []string `db:"acl"`
	Def                      []string
}

// dumpedDatabases is which databases are dumped, and in which order.
const dumpedDatabases = `datallowconn AND datconnlimit <> -2 AND datname <> 'template0' ORDER BY datname <> 'template1', datname`

// readDatabases reads the databases that can be connected to, in pg_dumpall's order.
func (c *cluster) readDatabases(ctx context.Context) ([]database, error) {
	provider, locale, rules := "'c'", "NULL", "NULL"
	switch {
	case c.srv.Version >= 170000:
		provider, locale, rules = "datlocprovider", "datlocale", "daticurules"
	case c.srv.Version >= 160000:
		provider, locale, rules = "datlocprovider", "daticulocale", "daticurules"
	case c.srv.Version >= 150000:
		provider, locale = "datlocprovider", "daticulocale"
	}
	rows, err := server.Query[databaseRow](ctx, c.conn, `
		SELECT d.oid, quote_ident(datname) AS name, datdba AS owner, datname AS raw,
		       pg_encoding_to_char(encoding) AS encoding, datcollate::text AS collate, datctype::text AS ctype,
		       `+provider+`::text AS provider, `+locale+`::text AS locale, `+rules+`::text AS rules,
		       datistemplate AS template, datconnlimit AS limit,
		       (SELECT quote_ident(spcname) FROM pg_tablespace t WHERE t.oid = dattablespace AND spcname <> 'pg_default') AS tablespace,
		       shobj_description(d.oid, 'pg_database') AS comment,
		       ARRAY(SELECT format('SECURITY LABEL FOR %I ON DATABASE %I IS %L', provider, datname, label) FROM pg_shseclabel
		             WHERE classoid = 'pg_database'::regclass AND objoid = d.oid ORDER BY provider) AS labels,
		       datacl::text[] AS acl, acldefault('d', datdba)::text[] AS def
		FROM pg_database d WHERE `+dumpedDatabases)
	if err != nil {
		return nil, err
	}
	settings, err := readSettings(ctx, c.conn)
	if err != nil {
		return nil, err
	}
	var databases []database
	for _, row := range rows {
		granted, err := c.roles.GrantsOn("DATABASE "+row.Name, "", row.Owner, row.ACL, row.Def, c.warn)
		if err != nil {
			return nil, err
		}
		d := database{
			Name: row.Raw, Quoted: row.Name, create: row.create(),
			exists: row.Raw == "template1" || row.Raw == "postgres",
		}
		d.properties = func(p *script.Printer) {
			if !d.exists && !p.NoOwner {
				p.Stmt("ALTER DATABASE %s OWNER TO %s", row.Name, c.roles[row.Owner].Quoted)
			}
			if row.Limit != -1 {
				p.Stmt("ALTER DATABASE %s CONNECTION LIMIT = %d", row.Name, row.Limit)
			}
			if row.Comment != nil && *row.Comment != bornComments[row.Raw] {
				p.Stmt("COMMENT ON DATABASE %s IS %s", row.Name, server.Literal(*row.Comment))
			}
			for _, label := range row.Labels {
				p.Defined(label, "SECURITY LABEL FOR ")
			}
			for _, s := range settings {
				if s.Database == row.OID {
					s.print(p, c.roles, row.Name)
				}
			}
			granted.Print(p)
			if row.Template && !d.exists {
				p.Stmt("ALTER DATABASE %s IS_TEMPLATE = true", row.Name)
			}
		}
		d.without = func() (statements []string) {
			add := func(format string, args ...any) {
				statements = append(statements, fmt.Sprintf(format, args...))
			}
			if row.Limit != -1 {
				add("ALTER DATABASE %s CONNECTION LIMIT = -1", row.Name)
			}
			if born := bornComments[row.Raw]; row.Comment != nil && *row.Comment != born || row.Comment == nil && born != "" {
				add("COMMENT ON DATABASE %s IS %s", row.Name, server.LiteralOrNull(born))
			}
			for _, s := range settings {
				if s.Database == row.OID {
					add("ALTER %s RESET ALL", s.of(c.roles, row.Name))
				}
			}
			if granted.Any() {
				sql, _ := script.Statements(granted.Reversed().Print)
				add("%s", sql)
			}
			return statements
		}
		databases = append(databases, d)
	}
	return databases, nil
}

// bornComments are what initdb says of the databases it makes.
var bornComments = map[string]string{
	"template1": "default template for new databases",
	"postgres":  "default administrative connection database",
}

func (d databaseRow) create() string {
	s := "CREATE DATABASE " + d.Name + " WITH TEMPLATE = template0 ENCODING = " + server.Literal(d.Encoding)
	providers := map[string]string{"c": "libc", "i": "icu", "b": "builtin"}
	if d.Provider != "c" {
		s += " LOCALE_PROVIDER = " + providers[d.Provider]
	}
	if d.Collate == d.Ctype {
		s += " LOCALE = " + server.Literal(d.Collate)
	} else {
		s += " LC_COLLATE = " + server.Literal(d.Collate) + " LC_CTYPE = " + server.Literal(d.Ctype)
	}
	if d.Locale != nil {
		s += map[string]string{"i": " ICU_LOCALE = ", "b": " BUILTIN_LOCALE = "}[d.Provider] + server.Literal(*d.Locale)
	}
	if d.Rules != nil {
		s += " ICU_RULES = " + server.Literal(*d.Rules)
	}
	if d.Tablespace != nil {
		s += " TABLESPACE = " + *d.Tablespace
	}
	return s
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
