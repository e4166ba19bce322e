package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A placement is where a dump goes and what is dropped there. place alone makes
// one: what is checked, what is dropped, which databases the statements may lead
// into and what people are told all go by it.
type placement struct {
	first     string   // the database that the statements begin in
	dropped   []string // databases that Clean drops
	templates []string // among them
	emptied   []string // databases whose contents Clean drops
	target    dump.Target
}

// ErrNoName is returned when a dump of one database is to go where the
// configuration is of several.
var ErrNoName = errors.New("the dump is of one database, and the configuration of several; name the one that it goes into")

// accepts holds what a dump says it is, by its head, against the configuration.
func (l *Loader) accepts(name string) error {
	switch {
	case name != engine && name != engineData && name != engineCluster:
		return fmt.Errorf("this is a dump of %s, not of %s", name, engine)
	case name == engineData && l.cfg.Clean:
		return fmt.Errorf("%w: it cannot be cleaned first", ErrDataOnly)
	case name == engineCluster && l.cfg.Database != "":
		return fmt.Errorf("into %s: %w", l.cfg.Database, ErrWholeCluster)
	case name != engineCluster && l.cfg.Several && l.cfg.Database == "":
		return ErrNoName
	}
	return nil
}

// place says where the dump goes, or what stands in the way; it changes nothing.
func (s *loading) place(ctx context.Context) (placement, error) {
	if s.form == engineCluster {
		return s.placeSeveral(ctx)
	}
	db := s.Loader.conn.Database
	p := placement{first: db, target: dump.Target{Server: s.address(), Database: db, Databases: []string{db}}}
	if err := s.use(ctx, db); err != nil {
		return p, err
	}
	if s.form == engineData { // rows go into tables that are there
		return p, nil
	}
	return p, s.look(ctx, db, &p)
}

// placeSeveral places a dump that makes its databases. Those that every cluster
// has must be empty, others must not exist; with Clean the former are emptied and
// the latter dropped.
func (s *loading) placeSeveral(ctx context.Context) (placement, error) {
	p := placement{first: "postgres", target: dump.Target{Server: s.address(), Databases: s.databases}}
	if err := s.use(ctx, p.first); err != nil {
		return p, err
	}
	made := slices.DeleteFunc(slices.Clone(s.databases), born)
	rows, err := s.conn.Query(ctx, `SELECT datname, datistemplate, ARRAY(SELECT slot_name::pg_catalog.text FROM pg_catalog.pg_replication_slots WHERE database = datname ORDER BY 1)
		FROM pg_catalog.pg_database WHERE datname = ANY ($1) ORDER BY 1`, made)
	if err != nil {
		return p, err
	}
	var db string
	var template bool
	var slots []string
	_, err = pgx.ForEachRow(rows, []any{&db, &template, &slots}, func() error {
		p.dropped = append(p.dropped, db)
		what := "database " + db
		if len(slots) > 0 {
			what += " with replication slot " + dump.Listed(slots)
		}
		p.target.Drops = append(p.target.Drops, what)
		if template {
			p.templates = append(p.templates, db)
		}
		return nil
	})
	switch {
	case err != nil:
		return p, err
	case len(p.dropped) > 0 && !s.cfg.Clean:
		return p, fmt.Errorf("the server has database %s, which is in the dump: %w", strings.Join(p.dropped, ", "), ErrNotEmpty)
	}
	if len(made) > 0 {
		if err := s.mayMake(ctx); err != nil {
			return p, err
		}
	}
	if err := s.undroppable(ctx, p.dropped); err != nil {
		return p, err
	}
	for _, d := range s.databases {
		if !born(d) {
			continue
		}
		if err := s.use(ctx, d); err != nil {
			return p, err
		}
		if err := s.look(ctx, d, &p); err != nil {
			return p, err
		}
		if slices.Contains(p.emptied, d) {
			if err := s.tryClean(ctx); err != nil {
				return p, err
			}
			if err := execAll(ctx, s.conn.PgConn(), "ROLLBACK"); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// born tells whether every new cluster has a database of that name.
func born(database string) bool { return database == "postgres" || database == "template1" }

// look looks into the database that the session is in, which has to be empty or
// is emptied.
func (s *loading) look(ctx context.Context, database string, p *placement) error {
	found, more, err := contents(ctx, s.conn)
	if err == nil && found == "" {
		found, more, err = s.besides(ctx, database)
	}
	switch {
	case err != nil:
		return err
	case !s.cfg.Clean && found != "":
		return fmt.Errorf("database %s: %w: it has %s", database, ErrNotEmpty, found)
	case !s.cfg.Clean:
		return nil
	}
	p.emptied = append(p.emptied, database) // the schema public is made anew in any case
	if found != "" {
		text := fmt.Sprintf("everything in database %s: %s", database, found)
		if more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		p.target.Drops = append(p.target.Drops, text)
	}
	return nil
}

// besides names something that a database has which has no contents, and counts what there is more, or returns the
// empty string. The schema public, privileges on the system's own objects and what another role's objects are born with
// do not count: the first is for whoever prepares a database, the others a provider may have set in all of his databases,
// new ones too, and nothing that a load makes is changed by them. They are told.
func (s *loading) besides(ctx context.Context, database string) (what string, more int, err error) {
	if err := execAll(ctx, s.conn.PgConn(), "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"); err != nil {
		return "", 0, err
	}
	objects, err := beyondNew(ctx, s.conn, s.crew.first.srv)
	if err != nil {
		return "", 0, err
	}
	if err := execAll(ctx, s.conn.PgConn(), "ROLLBACK"); err != nil {
		return "", 0, err
	}
	var made, other []*object
	for _, o := range objects {
		if o.hidden || o.told() == publicSchemaOther || o.ofOtherRole(s.crew.first.srv) {
			other = append(other, o)
		} else {
			made = append(made, o)
		}
	}
	if len(other) > 0 && !s.cfg.Clean {
		s.cfg.Warn(fmt.Sprintf("database %s has other than a new one, and keeps where the dump does not say otherwise: %s", database, dump.Listed(namesOf(other))))
	}
	names := namesOf(made)
	if len(names) == 0 {
		return "", 0, nil
	}
	return names[0], len(names) - 1, nil
}

// address is the server's, for people.
func (l *Loader) address() string {
	host := hostName(l.conn.Host)
	if host != l.conn.Host {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(int(l.conn.Port)))
}

// leads tells whether a dump of that form, with those databases at its head, may
// go on in a database.
func leads(form string, databases []string, into string) error {
	switch {
	case form != engineCluster:
		return fmt.Errorf("\\connect %s: %w: it is of one database", into, dump.ErrElsewhere)
	case !slices.Contains(databases, into):
		return fmt.Errorf("\\connect %s: %w", into, dump.ErrElsewhere)
	}
	return nil
}

// userSchemas selects the schemas that are neither the system's nor an extension's.
const userSchemas = `
	SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n
	WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
	  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND objid = n.oid AND deptype = 'e')`

// contents names something that a user made in the database and counts what
// there is besides, or returns the empty string. Extensions do not count: a template may bring them, and a dump
// makes them only where they are missing.
func contents(ctx context.Context, conn *pgx.Conn) (what string, more int, err error) {
	var found *string
	var n int
	err = conn.QueryRow(ctx, `
		WITH s AS (`+userSchemas+`), member AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
		found(what) AS NOT MATERIALIZED (
			SELECT 'schema ' || pg_catalog.quote_ident(nspname) FROM s WHERE nspname <> 'public'
			UNION ALL
			SELECT 'relation ' || c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c JOIN s ON s.oid = c.relnamespace
			WHERE relkind NOT IN ('i', 'I') AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND objid = c.oid)
			UNION ALL
			SELECT 'function ' || p.oid::pg_catalog.regprocedure FROM pg_catalog.pg_proc p JOIN s ON s.oid = p.pronamespace
			WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND objid = p.oid)
			UNION ALL
			SELECT 'type ' || t.oid::pg_catalog.regtype FROM pg_catalog.pg_type t JOIN s ON s.oid = t.typnamespace
			WHERE t.typrelid = 0 AND t.typelem = 0
			  AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND objid = t.oid)
			UNION ALL
			SELECT 'large object ' || oid FROM pg_catalog.pg_largeobject_metadata
			UNION ALL -- which a dump may not see
			SELECT 'subscription ' || pg_catalog.quote_ident(subname) FROM pg_catalog.pg_subscription
			WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
		)
		SELECT (SELECT what FROM found LIMIT 1), (SELECT pg_catalog.count(*)::pg_catalog.int4 FROM found)`).Scan(&found, &n)
	if err != nil {
		return "", 0, fmt.Errorf("look into the database: %w", err)
	}
	if found == nil {
		return "", 0, nil
	}
	return *found, n - 1, nil
}
