package load

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
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A placement is where a dump goes and what is dropped there. place alone makes one: what is
// checked, what is dropped and what people are told all go by it. Which databases the statements
// may lead into goes by the dump's head: see mayLead.
type placement struct {
	first     string   // the database that the statements begin in
	dropped   []string // databases that Clean drops
	templates []string // among them
	emptied   []string // databases whose contents Clean drops
	target    dump.Target
}

// ErrNoName is returned when a dump of one database is to go where the configuration is of several.
var ErrNoName = errors.New("the dump is of one database, and the configuration of several; name the one that it goes into")

// accepts holds what a dump says it is, by its head, against the configuration.
func (cfg Config) accepts(name string) error {
	switch {
	case name != script.OneDatabase && name != script.RowsAlone && name != script.Cluster:
		return fmt.Errorf("this is a dump of %s, not of %s", name, script.OneDatabase)
	case name == script.RowsAlone && cfg.Clean:
		return fmt.Errorf("%w: it cannot be cleaned first", ErrDataOnly)
	case name == script.Cluster && cfg.SingleTransaction:
		return ErrNotInOne
	case name == script.Cluster && cfg.Named != "":
		return fmt.Errorf("into %s: %w", cfg.Named, ErrWholeCluster)
	case name != script.Cluster && cfg.Several && cfg.Named == "":
		return ErrNoName
	}
	return nil
}

// place says where the dump goes, or what stands in the way; it changes nothing.
func (s *loading) place(ctx context.Context) (placement, error) {
	if s.dump.Form == script.Cluster {
		return s.placeSeveral(ctx)
	}
	db := s.cfg.Conn.Database
	p := placement{first: db, target: dump.Target{Server: s.cfg.address(), Database: db, Databases: []string{db}}}
	if err := s.use(ctx, db); err != nil {
		return p, err
	}
	if s.dump.Form == script.RowsAlone && s.cfg.Part == nil { // rows go into tables that are there
		return p, nil
	}
	if s.cfg.Part != nil {
		var err error
		if p.target.Drops, err = s.cfg.Part.Place(ctx, s.conn, s.cfg.Clean); err != nil {
			err = fmt.Errorf("database %s: %w", db, err)
		}
		return p, err
	}
	return p, s.look(ctx, db, &p)
}

// placeSeveral places a dump that makes its databases. Those that every cluster has must be empty,
// others must not exist; with Clean the former are emptied and the latter dropped.
func (s *loading) placeSeveral(ctx context.Context) (placement, error) {
	p := placement{first: firstOfCluster, target: dump.Target{Server: s.cfg.address(), Databases: s.dump.Databases}}
	if err := s.use(ctx, p.first); err != nil {
		return p, err
	}
	made := slices.DeleteFunc(slices.Clone(s.dump.Databases), born)
	err := s.findMade(ctx, made, &p)
	switch {
	case err != nil:
		return p, err
	case len(p.dropped) > 0 && !s.cfg.Clean:
		return p, fmt.Errorf("the server has database %s, which is in the dump: %w", strings.Join(p.dropped, ", "), dump.ErrNotEmpty)
	}
	if len(made) > 0 {
		if err := s.mayMake(ctx); err != nil {
			return p, err
		}
	}
	if err := s.undroppable(ctx, p.dropped); err != nil {
		return p, err
	}
	for _, d := range s.dump.Databases {
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
			if err := s.target(d).TryClean(ctx); err != nil {
				return p, err
			}
			if err := server.Exec(ctx, s.conn.PgConn(), "ROLLBACK"); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// findMade finds which of the databases that the dump makes are there.
func (s *loading) findMade(ctx context.Context, made []string, p *placement) error {
	rows, err := s.conn.Query(ctx, `SELECT datname, datistemplate, ARRAY(SELECT slot_name::pg_catalog.text FROM pg_catalog.pg_replication_slots WHERE database = datname ORDER BY 1)
		FROM pg_catalog.pg_database WHERE datname = ANY ($1) ORDER BY 1`, made)
	if err != nil {
		return err
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
	return err
}

// firstOfCluster is the database that a dump of several begins in.
const firstOfCluster = "postgres"

// born tells whether every new cluster has a database of that name.
func born(database string) bool { return database == "postgres" || database == "template1" }

// look looks into the database that the session is in, which has to be empty or is emptied.
func (s *loading) look(ctx context.Context, database string, p *placement) error {
	found, more, err := s.target(database).Look(ctx, !s.cfg.Clean)
	switch {
	case err != nil:
		return err
	case !s.cfg.Clean && found != "":
		return fmt.Errorf("database %s: %w: it has %s", database, dump.ErrNotEmpty, found)
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

// address is the server's, for people.
func (cfg Config) address() string {
	host := server.HostName(cfg.Conn.Host)
	if host != cfg.Conn.Host {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(int(cfg.Conn.Port)))
}

// target is the database that the session is in.
func (s *loading) target(database string) Target {
	return s.cfg.Target(s.conn, s.workers.first.srv, database)
}

// mayLead returns an error if an item leads where the dump, by its head, does not go.
func (s *loading) mayLead(item dump.Item) error {
	into, err := item.Database, error(nil)
	switch {
	case s.dump.Form != script.Cluster:
		err = fmt.Errorf("%w: it is of one database", dump.ErrElsewhere)
	case !slices.Contains(s.dump.Databases, into):
		err = dump.ErrElsewhere
	default:
		return nil
	}
	return fmt.Errorf("line %d: \\connect %s: %w", item.Line, into, err)
}
