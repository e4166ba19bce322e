package postgres

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
)

// dumpCluster writes what pg_dumpall writes: roles, tablespaces, and every
// database with its properties, each read at one moment of its own. Of several
// databases that are named it writes these alone.
func (s *Source) dumpCluster(ctx context.Context, w io.Writer) error {
	run := s.newDumping(w)
	out := dump.NewWriter(run, engineCluster)
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
		for _, t := range tables {
			t.Name = d.Quoted + "." + t.Name
			manifest = append(manifest, t)
		}
	}
	if !run.full {
		if len(run.there) == 0 {
			for _, d := range databases {
				run.there = append(run.there, d.Name)
			}
		}
		return s.nothing(run.there)
	}
	run.checkUsed()
	return out.End(manifest)
}

// dumpGlobals writes what belongs to no database and returns the databases.
func (s *Source) dumpGlobals(ctx context.Context, out *dump.Writer) ([]database, error) {
	conn, srv, err := connect(ctx, s.conn, s.conn.Database, s.forReading)
	if err != nil {
		return nil, err
	}
	defer hangUp(conn)
	if err := s.begin(ctx, conn); err != nil {
		return nil, err
	}
	c := &catalog{conn: conn, srv: srv, roles: map[uint32]role{}, warn: s.cfg.Warn}
	if err := readRoles(ctx, c); err != nil {
		return nil, err
	}
	databases, err := readDatabases(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := unreachable(ctx, c, s); err != nil {
		return nil, err
	}
	names := make([]string, len(databases))
	for i, d := range databases {
		names[i] = d.Name
	}
	wanted, err := s.wanted(names)
	if err != nil {
		return nil, err
	}
	databases = slices.DeleteFunc(databases, func(d database) bool { return !slices.Contains(wanted, d.Name) })
	if err := checkNames(databases); err != nil {
		return nil, err
	}
	// First of all, so that a restore can look at them before it changes anything.
	for _, d := range databases {
		fmt.Fprintf(out, "%s%+q\n", databasePrefix, d.Name)
	}
	p := s.printer(out)
	p.preamble(srv)
	if s.cfg.Clean {
		p.mark("drop the databases that are made below")
		for _, d := range databases {
			if !d.exists {
				p.stmt("DROP DATABASE IF EXISTS %s", d.Quoted)
			}
		}
	}
	if !s.cfg.AllDatabases {
		return databases, p.err
	}
	for _, write := range []func(context.Context, *catalog, *printer, func(string)) error{
		writeRoles, writeRoleSettings, writeMemberships, writeParameterGrants, writeTablespaces, writeSharedLabels,
	} {
		if err := write(ctx, c, p, s.cfg.Warn); err != nil {
			return nil, err
		}
	}
	return databases, p.err
}

// wanted picks the databases that the configuration names, all where it names none.
func (s *Source) wanted(names []string) ([]string, error) {
	used := map[*pattern]bool{}
	var list []string
	for _, name := range names {
		if (len(s.databases) == 0 || s.databases.match(used, "", name)) && !s.notDatabases.match(used, "", name) {
			list = append(list, name)
		}
	}
	for _, p := range append(slices.Clone(s.databases), s.notDatabases...) {
		if !used[p] {
			s.cfg.Warn("no database fits " + p.text)
		}
	}
	if len(list) == 0 && !s.cfg.AllowEmpty {
		return nil, s.nothing(names)
	}
	return list, nil
}

// databasePrefix begins the lines that name the databases of a cluster's dump,
// quoted as a manifest's names are.
const databasePrefix = "-- database "

// A database of the cluster, with the statements that make it and those that
// give it its properties.
type database struct {
	Name, Quoted string
	exists       bool // in every new cluster
	create       string
	properties   func(*printer)
	without      func() []string // statements that take the properties back, of those that there are
}

// dumpMember writes one database of the cluster.
func (s *dumping) dumpMember(ctx context.Context, out *dump.Writer, d database) (dump.Manifest, error) {
	p := s.printer(out)
	p.mark("database")
	if !d.exists {
		p.stmt("%s", d.create)
	}
	fmt.Fprintf(out, "%s\n\n", connectCommand(d.Name))
	manifest, err := s.dumpDatabase(ctx, out, d.Name)
	if err != nil {
		return nil, err
	}
	p.mark("properties of the database")
	d.properties(p)
	return manifest, p.err
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

// connectCommand writes psql's \connect. A name that is more than a plain word
// goes into a connection string (CVE-2016-5424), quoted for libpq, and that into
// double quotes: within single ones \connect would take the name's own away.
func connectCommand(name string) string {
	plain := name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == ""
	if plain {
		return `\connect ` + name
	}
	value := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name)
	conninfo := "dbname='" + value + "'"
	return `\connect -reuse-previous=on ` + ident(conninfo)
}

type databaseRow struct {
	header
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
func readDatabases(ctx context.Context, c *catalog) ([]database, error) {
	provider, locale, rules := "'c'", "NULL", "NULL"
	switch {
	case c.srv.version >= 170000:
		provider, locale, rules = "datlocprovider", "datlocale", "daticurules"
	case c.srv.version >= 160000:
		provider, locale, rules = "datlocprovider", "daticulocale", "daticurules"
	case c.srv.version >= 150000:
		provider, locale = "datlocprovider", "daticulocale"
	}
	rows, err := query[databaseRow](ctx, c, `
		SELECT d.oid, 0::oid AS schema, quote_ident(datname) AS name, datdba AS owner, datname AS raw,
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
	settings, err := readSettings(ctx, c)
	if err != nil {
		return nil, err
	}
	var databases []database
	for _, row := range rows {
		o := &object{name: row.Name}
		if err := c.grantOn(o, "DATABASE", row.Owner, row.ACL, row.Def); err != nil {
			return nil, err
		}
		d := database{
			Name: row.Raw, Quoted: row.Name, create: row.create(),
			exists: row.Raw == "template1" || row.Raw == "postgres",
		}
		d.properties = func(p *printer) {
			if !d.exists && !p.noOwner {
				p.stmt("ALTER DATABASE %s OWNER TO %s", row.Name, c.roles[row.Owner].quoted)
			}
			if row.Limit != -1 {
				p.stmt("ALTER DATABASE %s CONNECTION LIMIT = %d", row.Name, row.Limit)
			}
			if row.Comment != nil && *row.Comment != bornComments[row.Raw] {
				p.stmt("COMMENT ON DATABASE %s IS %s", row.Name, literal(*row.Comment))
			}
			for _, label := range row.Labels {
				p.defined(label, "SECURITY LABEL FOR ")
			}
			for _, s := range settings {
				if s.Database == row.OID {
					s.print(p, c, row.Name)
				}
			}
			for _, g := range o.grants {
				g.print(p)
			}
			if row.Template && !d.exists {
				p.stmt("ALTER DATABASE %s IS_TEMPLATE = true", row.Name)
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
				add("COMMENT ON DATABASE %s IS %s", row.Name, new(printer).textOrNull(born))
			}
			for _, s := range settings {
				if s.Database == row.OID {
					add("ALTER %s RESET ALL", s.of(c, row.Name))
				}
			}
			for _, g := range o.grants {
				p := &printer{holding: true}
				g.reversed().print(p)
				add("%s", p.held.String())
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
	s := "CREATE DATABASE " + d.Name + " WITH TEMPLATE = template0 ENCODING = " + literal(d.Encoding)
	providers := map[string]string{"c": "libc", "i": "icu", "b": "builtin"}
	if d.Provider != "c" {
		s += " LOCALE_PROVIDER = " + providers[d.Provider]
	}
	if d.Collate == d.Ctype {
		s += " LOCALE = " + literal(d.Collate)
	} else {
		s += " LC_COLLATE = " + literal(d.Collate) + " LC_CTYPE = " + literal(d.Ctype)
	}
	if d.Locale != nil {
		s += map[string]string{"i": " ICU_LOCALE = ", "b": " BUILTIN_LOCALE = "}[d.Provider] + literal(*d.Locale)
	}
	if d.Rules != nil {
		s += " ICU_RULES = " + literal(*d.Rules)
	}
	if d.Tablespace != nil {
		s += " TABLESPACE = " + *d.Tablespace
	}
	return s
}

// writeTablespaces writes the tablespaces that users made.
func writeTablespaces(ctx context.Context, c *catalog, p *printer, warn func(string)) error {
	type row struct {
		header
		Location string
		Options  []string
		Comment  *string
		ACL      []string `db:"acl"`
		Def      []string
	}
	rows, err := query[row](ctx, c, `
		SELECT oid, 0::oid AS schema, quote_ident(spcname) AS name, spcowner AS owner,
		       -- One inside the data folder (allow_in_place_tablespaces) has a relative path and is made by the empty one.
		       CASE WHEN pg_tablespace_location(oid) ~ '^(/|[A-Za-z]:)' THEN pg_tablespace_location(oid) ELSE '' END AS location,
		       spcoptions AS options, shobj_description(oid, 'pg_tablespace') AS comment,
		       spcacl::text[] AS acl, acldefault('t', spcowner)::text[] AS def
		FROM pg_tablespace WHERE spcname !~ '^pg_' ORDER BY spcname`)
	if err != nil {
		return err
	}
	for _, t := range rows {
		p.stmt("CREATE TABLESPACE %s LOCATION %s", t.Name, literal(t.Location))
		if !p.noOwner {
			p.stmt("ALTER TABLESPACE %s OWNER TO %s", t.Name, c.roles[t.Owner].quoted)
		}
		if options := tablespaceOptions.only(t.Options, t.Name, warn); len(options) > 0 {
			p.stmt("ALTER TABLESPACE %s SET (%s)", t.Name, strings.Join(optionList("", options), ", "))
		}
		o := &object{name: t.Name}
		if err := c.grantOn(o, "TABLESPACE", t.Owner, t.ACL, t.Def); err != nil {
			return err
		}
		for _, g := range o.grants {
			g.print(p)
		}
		if t.Comment != nil {
			p.stmt("COMMENT ON TABLESPACE %s IS %s", t.Name, literal(*t.Comment))
		}
	}
	return nil
}

// writeSharedLabels writes the security labels of roles and tablespaces.
func writeSharedLabels(ctx context.Context, c *catalog, p *printer, _ func(string)) error {
	type row struct{ Statement string }
	rows, err := query[row](ctx, c, `
		SELECT format('SECURITY LABEL FOR %I ON %s IS %L', provider, coalesce('ROLE ' || quote_ident(rolname), 'TABLESPACE ' || quote_ident(spcname)), label) AS statement
		FROM pg_shseclabel l LEFT JOIN pg_roles r ON classoid = 'pg_authid'::regclass AND objoid = r.oid
		LEFT JOIN pg_tablespace t ON classoid = 'pg_tablespace'::regclass AND objoid = t.oid
		WHERE coalesce(r.oid, t.oid) IS NOT NULL ORDER BY 1`)
	for _, l := range rows {
		p.defined(l.Statement, "SECURITY LABEL FOR ")
	}
	return err
}
