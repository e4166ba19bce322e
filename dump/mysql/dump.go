package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/value"
)

// Dump writes the databases as SQL. See dump.Source.
func (s *Source) Dump(ctx context.Context, w io.Writer) error {
	if err := s.dump(ctx, w); err != nil {
		return fmt.Errorf("dump %s: %w", s.what(), s.explain(ctx, err))
	}
	return nil
}

// explain adds to an error of a lock that was waited for who holds it, as far as that can be seen.
func (s *Source) explain(ctx context.Context, err error) error {
	if !server.IsError(err, server.CodeLockWaitTimeout) || ctx.Err() != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, 5*time.Second) // the error does not wait for more
	defer cancel()
	c, openErr := s.open(asking)
	if openErr != nil {
		return err
	}
	defer c.Close()
	if who := c.LockHolders(asking); who != "" {
		return fmt.Errorf("%w; %s", err, who)
	}
	return err
}

func (s *Source) dump(ctx context.Context, w io.Writer) error {
	main, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer main.Close()
	main.WarnOfPlain(s.cfg.Warn, s.cfg.Server)
	c := &catalog{conn: main, warn: s.cfg.Warn, debug: s.cfg.Debug, charsets: make(map[string]*value.Charset)}
	if err := c.readEngines(ctx); err != nil {
		return err
	}
	if _, err := s.names(ctx, c); err != nil {
		return err
	}
	c.warnOfNewer()
	if err := c.warnOfDescribed(ctx, described[main.Family]); err != nil {
		return err
	}
	if err := main.WarnOfRights(ctx, s.cfg.Databases, s.cfg.Warn); err != nil {
		return err
	}
	snapshot, databases, err := s.moment(ctx, c)
	if err != nil {
		return err
	}
	defer snapshot.close()
	if empty(databases) {
		if err := s.nothing(ctx, c); err != nil {
			return err
		}
	}
	var people accounts
	if len(s.cfg.Databases) == 0 {
		if people, err = readAccounts(ctx, main, s.cfg.Warn); err != nil {
			return err
		}
		if people.timeZones, err = main.HasTimeZones(ctx); err != nil {
			return err
		}
		if err := warnOfLeftOut(ctx, main, s.cfg.Warn); err != nil {
			return err
		}
	}
	s.warnUnsnapped(databases)

	single := len(s.cfg.Databases) == 1
	name := note.Several
	if single {
		name = note.One
	}
	to := dump.NewWriter(w, name)
	p := &guard.Printer{Out: to, Qualified: !single, Warn: s.cfg.Warn}
	manifest, err := write(ctx, c, p, snapshot, databases, people)
	if err == nil {
		err = p.Err()
	}
	if err != nil {
		return err
	}
	return to.End(manifest)
}

// moment takes the snapshot and reads the definitions that belong to it. The
// servers keep no versions of definitions: those read right after the snapshot
// are right if nothing was changed between a look before it and one after them.
func (s *Source) moment(ctx context.Context, c *catalog) (snapshot, []*database, error) {
	const attempts = 5
	connections := s.cfg.Jobs
	for attempt := 1; ; attempt++ {
		names := s.cfg.Databases
		if len(names) == 0 {
			var err error
			if names, err = c.databases(ctx); err != nil {
				return snapshot{}, nil, err
			}
		}
		before, err := c.allIdentities(ctx, names)
		if err != nil {
			return snapshot{}, nil, err
		}
		p, err := s.takeSnapshot(ctx, connections)
		if err != nil {
			return snapshot{}, nil, err
		}
		if p.fewer != "" {
			s.cfg.Warn(fmt.Sprintf("the rows are read on %d of %d connections: %s", len(p.readers), connections, p.fewer))
			connections = len(p.readers)
		}
		databases, err := c.readAll(ctx, names)
		var after map[string]string
		if err == nil {
			after, err = c.allIdentities(ctx, names)
		}
		if err == nil && maps.Equal(before, after) {
			return p, databases, nil
		}
		p.close()
		if err != nil && !errors.Is(err, errChanged) && !errors.Is(err, server.ErrCount) {
			return snapshot{}, nil, err
		}
		if attempt == attempts && errors.Is(err, server.ErrCount) {
			return snapshot{}, nil, err
		}
		if attempt == attempts {
			return snapshot{}, nil, fmt.Errorf("tables were made, altered or dropped in each of %d attempts to read their definitions", attempts)
		}
		s.cfg.Debug("a table was made, altered or dropped while the definitions were read; beginning anew")
	}
}

func (c *catalog) readAll(ctx context.Context, names []string) ([]*database, error) {
	var databases []*database
	c.texts = nil
	for _, name := range names {
		db, err := c.read(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("database %s: %w", name, err)
		}
		databases = append(databases, db)
	}
	later(databases)
	return databases, nil
}

// allIdentities returns the identities of the tables of all databases.
func (c *catalog) allIdentities(ctx context.Context, names []string) (map[string]string, error) {
	all := make(map[string]string)
	for _, name := range names {
		tables, err := c.identities(ctx, name)
		if err != nil {
			return nil, err
		}
		for t, identity := range tables {
			all[quote.Name(name)+"."+quote.Name(t)] = identity
		}
	}
	return all, nil
}

// warnUnsnapped names the tables whose rows are not those of one moment.
func (s *Source) warnUnsnapped(databases []*database) {
	var names []string
	for _, db := range databases {
		for _, t := range db.tables {
			if !t.transactional && !t.rowless {
				names = append(names, fmt.Sprintf("%s (%s)", t.label, t.engine))
			}
		}
	}
	if len(names) > 0 {
		s.cfg.Warn("these tables are not transactional, and the dump holds each as it was when it was read: " + dump.Listed(names))
	}
}

// write writes the databases, one after another: what rows need, the rows, and
// what might act on them or read them after that.
func write(ctx context.Context, c *catalog, p *guard.Printer, snapshot snapshot, databases []*database, people accounts) (dump.Manifest, error) {
	needs, err := c.needs(ctx, databases)
	if err != nil {
		return nil, err
	}
	var own note.OwnName
	if !p.Qualified {
		own = databases[0].ownNames()
	}
	printPreamble(p, c.conn.Info, databases, needs, own, snapshot.position, people.timeZones)
	people.printPeople(p)
	rows, err := newRowWriter(ctx, c, snapshot.readers, databases)
	if err != nil {
		return nil, err
	}
	manifest, err := rows.run(ctx, func(ctx context.Context) error {
		for _, db := range databases {
			if err := writeDatabase(ctx, p, db, rows); err != nil {
				return err
			}
		}
		// A view may read those of other databases.
		for _, db := range databases {
			db.printViews(p)
		}
		people.printRights(p, databases)
		return ctx.Err()
	})
	if err == nil {
		err = rows.packets(ctx, p)
	}
	return manifest, err
}

// anyTable tells whether a table of the databases is like that.
func anyTable(databases []*database, like func(*table) bool) bool {
	return firstTable(databases, like) != nil
}

func firstTable(databases []*database, like func(*table) bool) *table {
	for _, db := range databases {
		if i := slices.IndexFunc(db.tables, like); i >= 0 {
			return db.tables[i]
		}
	}
	return nil
}

func use(p *guard.Printer, db *database) {
	if p.Qualified {
		p.In(guard.Home())
		p.Stmt("USE %s", quote.Name(db.name))
	}
}

// writeDatabase writes a database, its tables with their rows, and what acts on
// them when it is used.
func writeDatabase(ctx context.Context, p *guard.Printer, db *database, rows *rowWriter) error {
	db.printBeginning(p)
	for _, t := range db.tables {
		if err := rows.table(ctx, p, t); err != nil {
			return err
		}
	}
	db.printAfterRows(p)
	return nil
}

// printBeginning writes what comes before a database's tables.
func (db *database) printBeginning(p *guard.Printer) {
	p.Mark("database")
	printDatabase(p, db)
	for _, seq := range db.sequences {
		seq.print(p)
	}
	p.Mark("tables")
}

// printAfterRows writes what is added to a database's tables when all have their rows, and what acts on them when it is
// used.
func (db *database) printAfterRows(p *guard.Printer) {
	for _, t := range db.tables {
		if len(t.later) > 0 && t.joined {
			p.Stmt("%s", ddl.AddElements(t.name, t.later))
		}
	}
	for _, t := range db.tables {
		if len(t.foreign) > 0 {
			p.Stmt("%s", ddl.AddElements(t.name, t.foreign))
		}
	}
	p.Mark("routines, triggers")
	for _, v := range db.views {
		v.printStandIn(p)
	}
	for _, list := range [][]program{db.routines, db.triggers} {
		for _, r := range list {
			r.print(p, db)
		}
	}
	p.In(guard.Home())
}

// printViews writes a database's views, which read what all that is before them
// made, and its events, which might begin to act at once.
func (db *database) printViews(p *guard.Printer) {
	use(p, db)
	p.Mark("views, events")
	for _, v := range db.views {
		v.print(p)
	}
	for _, e := range db.events {
		e.print(p, db)
	}
	p.In(guard.Home())
}

// printDatabase makes the database, or gives the one that is used its defaults.
func printDatabase(p *guard.Printer, db *database) {
	defaults := fmt.Sprintf("CHARACTER SET %s COLLATE %s", db.charset, db.collation)
	if db.encrypted {
		defaults += " ENCRYPTION 'Y'"
	}
	if db.comment != "" {
		defaults += " COMMENT " + quote.Literal(db.comment)
	}
	if p.Qualified {
		p.Stmt("CREATE DATABASE IF NOT EXISTS %s", quote.Name(db.name))
		use(p, db)
	}
	p.Stmt("ALTER DATABASE %s%s", databaseName(p, db), defaults)
}
