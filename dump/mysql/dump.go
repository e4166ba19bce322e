package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/cluster"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/rows"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Dump writes the databases as SQL. See dump.Source.
func (s *Source) Dump(ctx context.Context, w io.Writer) error {
	err := s.dump(ctx, w)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("dump %s: %w", s.what(), s.explain(ctx, err))
	if errors.Is(err, catalog.ErrChanged) { // which the next dump need not meet
		err = &dump.PassingError{Err: err}
	}
	return err
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
	c := &catalog.Reader{Conn: main, Warn: s.cfg.Warn, Debug: s.cfg.Debug}
	if err := c.ReadEngines(ctx); err != nil {
		return err
	}
	if _, err := s.names(ctx, c); err != nil {
		return err
	}
	c.WarnOfNewer()
	if err := c.WarnOfDescribed(ctx, catalog.Described[main.Family]); err != nil {
		return err
	}
	if err := main.WarnOfRights(ctx, s.cfg.Databases, s.cfg.Warn); err != nil {
		return err
	}
	snapshot, databases, err := s.moment(ctx, c)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	if catalog.Empty(databases) {
		if err := s.nothing(ctx, c); err != nil {
			return err
		}
	}
	everybody := &cluster.Contents{} // of a dump of all databases
	if len(s.cfg.Databases) == 0 {
		if everybody, err = cluster.Read(ctx, main, s.cfg.Warn); err != nil {
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
	manifest, err := s.write(ctx, c, p, snapshot, databases, everybody)
	if err == nil {
		err = p.Err()
	}
	if err != nil {
		return err
	}
	return to.End(manifest)
}

// moment takes the snapshot and reads the definitions that belong to it. The servers keep no
// versions of definitions: those read right after the snapshot are right if nothing was changed
// between a look before it and one after them.
func (s *Source) moment(ctx context.Context, c *catalog.Reader) (rows.Snapshot, []*catalog.Database, error) {
	const attempts = 5
	connections := s.cfg.Jobs
	for attempt := 1; ; attempt++ {
		names := s.cfg.Databases
		if len(names) == 0 {
			var err error
			if names, err = c.Databases(ctx); err != nil {
				return rows.Snapshot{}, nil, err
			}
		}
		before, err := c.AllIdentities(ctx, names)
		if err != nil {
			return rows.Snapshot{}, nil, err
		}
		p, err := rows.TakeSnapshot(ctx, s.open, connections, s.cfg.Position)
		if err != nil {
			return rows.Snapshot{}, nil, err
		}
		if p.Fewer != "" {
			s.cfg.Warn(fmt.Sprintf("the rows are read on %d of %d connections: %s", len(p.Readers), connections, p.Fewer))
			connections = len(p.Readers)
		}
		databases, err := c.ReadAll(ctx, names)
		var after map[string]string
		if err == nil {
			after, err = c.AllIdentities(ctx, names)
		}
		if err == nil && maps.Equal(before, after) {
			return p, databases, nil
		}
		p.Close()
		if err != nil && !errors.Is(err, catalog.ErrChanged) && !errors.Is(err, server.ErrCount) {
			return rows.Snapshot{}, nil, err
		}
		if attempt == attempts && errors.Is(err, server.ErrCount) {
			return rows.Snapshot{}, nil, err
		}
		if attempt == attempts {
			return rows.Snapshot{}, nil, fmt.Errorf("tables were made, altered or dropped in each of %d attempts to read their definitions", attempts)
		}
		s.cfg.Debug("a table was made, altered or dropped while the definitions were read; beginning anew")
	}
}

// warnUnsnapped names the tables whose rows are not those of one moment.
func (s *Source) warnUnsnapped(databases []*catalog.Database) {
	var names []string
	for _, db := range databases {
		for _, t := range db.Tables {
			if !t.Transactional && !t.Rowless {
				names = append(names, fmt.Sprintf("%s (%s)", t.Label, t.Engine))
			}
		}
	}
	if len(names) > 0 {
		s.cfg.Warn("these tables are not transactional, and the dump holds each as it was when it was read: " + dump.Listed(names))
	}
}

// write writes the databases, one after another: what rows need, the rows, and what might act on
// them or read them after that.
func (s *Source) write(ctx context.Context, c *catalog.Reader, p *guard.Printer, snapshot rows.Snapshot, databases []*catalog.Database, everybody *cluster.Contents) (dump.Manifest, error) {
	needs, err := c.Needs(ctx, databases)
	if err != nil {
		return nil, err
	}
	var own note.OwnName
	if !p.Qualified {
		own = databases[0].OwnNames()
	}
	p.Begin(dump.Definitions, "")
	catalog.PrintPreamble(p, c.Conn.Info, databases, needs, own, snapshot.Position, everybody.TimeZones)
	everybody.PrintPeople(p)
	rows, err := rows.NewWriter(ctx, c, snapshot.Readers, databases)
	if err != nil {
		return nil, err
	}
	rows.Told = s.cfg.Table
	manifest, err := rows.Run(ctx, func(ctx context.Context) error {
		for _, db := range databases {
			if err := writeDatabase(ctx, p, db, rows); err != nil {
				return err
			}
		}
		// A view may read those of other databases.
		for _, db := range databases {
			db.PrintViews(p)
		}
		everybody.PrintRights(p, databases)
		return ctx.Err()
	})
	if err == nil {
		err = rows.Packets(ctx, p)
	}
	return manifest, err
}

// writeDatabase writes a database, its tables with their rows, and what acts on them when it is
// used.
func writeDatabase(ctx context.Context, p *guard.Printer, db *catalog.Database, rows *rows.Writer) error {
	db.PrintBeginning(p)
	for _, t := range db.Tables {
		if err := rows.Table(ctx, p, t); err != nil {
			return err
		}
	}
	db.PrintAfterRows(p)
	return nil
}
