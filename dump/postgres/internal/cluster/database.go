package cluster

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A Database of the cluster, with the statements that make it and those that give it its
// properties.
type Database struct {
	Name, Quoted string
	Exists       bool // in every new cluster
	Create       string
	Properties   func(*script.Printer)
	Without      func() []string // statements that take the properties back, of those that there are
}

// CheckNames refuses names that psql cannot be told: a meta-command ends with its line, whatever
// quotes are open, and the rest of such a name would be the next command (pg_dumpall refuses them
// too).
func CheckNames(databases []Database) error {
	for _, d := range databases {
		if strings.ContainsAny(d.Name, "\r\n") {
			return fmt.Errorf("database %q: a name with a line break cannot be written for psql; rename it", d.Name)
		}
	}
	return nil
}

// TellUnreachable tells of databases that are left out because nobody can connect to them, of those
// that are asked for.
func (c *cluster) TellUnreachable(ctx context.Context, asked func(name string) bool) error {
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

// DatabaseNames lists the databases that a dump of all of them holds, in its order.
func DatabaseNames(ctx context.Context, conn *pgx.Conn) ([]string, error) {
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
func (c *cluster) readDatabases(ctx context.Context) ([]Database, error) {
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
	var databases []Database
	for _, row := range rows {
		d := ownProperties{databaseRow: row, roles: c.roles, exists: row.Raw == "template1" || row.Raw == "postgres"}
		granted, err := c.roles.GrantsOn("DATABASE "+row.Name, "", row.Owner, row.ACL, row.Def, c.warn)
		if err != nil {
			return nil, err
		}
		d.grant = granted.Print
		if granted.Any() {
			d.revoke = granted.Reversed().Print
		}
		for _, s := range settings {
			if s.Database == row.OID {
				d.settings = append(d.settings, s)
			}
		}
		databases = append(databases, Database{Name: row.Raw, Quoted: row.Name, Create: row.create(), Exists: d.exists, Properties: d.print, Without: d.without})
	}
	return databases, nil
}

// An ownProperties is what a database has beyond what it is created with.
type ownProperties struct {
	databaseRow
	exists   bool // in every new cluster
	roles    catalog.Roles
	settings []setting             // the database's
	grant    func(*script.Printer) // the privileges on it
	revoke   func(*script.Printer) // brings them back to what it is born with; nil where it has those
}

// print writes the statements that give the database its properties.
func (d ownProperties) print(p *script.Printer) {
	if !d.exists && !p.NoOwner {
		p.Stmt("ALTER DATABASE %s OWNER TO %s", d.Name, d.roles[d.Owner].Quoted)
	}
	if d.Limit != -1 {
		p.Stmt("ALTER DATABASE %s CONNECTION LIMIT = %d", d.Name, d.Limit)
	}
	if d.Comment != nil && *d.Comment != bornComments[d.Raw] {
		p.Stmt("COMMENT ON DATABASE %s IS %s", d.Name, server.Literal(*d.Comment))
	}
	for _, label := range d.Labels {
		p.Defined(label, "SECURITY LABEL FOR ")
	}
	for _, s := range d.settings {
		s.print(p, d.roles, d.Name)
	}
	d.grant(p)
	if d.Template && !d.exists {
		p.Stmt("ALTER DATABASE %s IS_TEMPLATE = true", d.Name)
	}
}

// without returns the statements that take the properties back, of those that there are.
func (d ownProperties) without() (statements []string) {
	add := func(format string, args ...any) { statements = append(statements, fmt.Sprintf(format, args...)) }
	if d.Limit != -1 {
		add("ALTER DATABASE %s CONNECTION LIMIT = -1", d.Name)
	}
	if born := bornComments[d.Raw]; d.Comment != nil && *d.Comment != born || d.Comment == nil && born != "" {
		add("COMMENT ON DATABASE %s IS %s", d.Name, server.LiteralOrNull(born))
	}
	for _, s := range d.settings {
		add("ALTER %s RESET ALL", s.of(d.roles, d.Name))
	}
	if d.revoke != nil {
		sql, _ := script.Statements(d.revoke)
		add("%s", sql)
	}
	return statements
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
