package load

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// clear drops what the placement says. What can be had back if it fails goes first: the contents of
// a database, in one transaction. s.gone keeps what is no longer there.
func (s *loading) clear(ctx context.Context, p placement) error {
	for _, d := range p.emptied {
		if !s.isIn(d) {
			if err := s.use(ctx, d); err != nil {
				return err
			}
		}
		if err := s.drop("everything in database "+d, s.target(d).Clean(ctx)); err != nil {
			return err
		}
		if s.dump.Form == script.Cluster { // which says what the properties of its databases are
			if err := s.target(d).ForgetProperties(ctx); err != nil {
				return fmt.Errorf("take the properties of database %s back: %w", d, err)
			}
		}
	}
	// What a session has of a database's properties, and of extensions' libraries, it has from its
	// beginning, or from before they were dropped.
	if s.dump.Form == script.Cluster || len(p.emptied) > 0 && len(p.target.Drops) > 0 || !s.isIn(p.first) {
		if err := s.use(ctx, p.first); err != nil {
			return err
		}
	}
	if s.cfg.Part != nil && len(p.target.Drops) > 0 {
		if err := s.drop(dump.Listed(p.target.Drops), s.cfg.Part.Drop(ctx, s.conn)); err != nil {
			return err
		}
	}
	for _, d := range p.dropped {
		err := s.dropDatabase(ctx, d, slices.Contains(p.templates, d))
		if err := s.drop("database "+d, err); err != nil {
			return fmt.Errorf("drop database %s: %w", d, err)
		}
	}
	return nil
}

// dropDatabase drops a database. A template is none for the moment of that.
func (s *loading) dropDatabase(ctx context.Context, database string, template bool) error {
	drop := "DROP DATABASE " + server.Ident(database)
	if !template {
		return server.Exec(ctx, s.conn.PgConn(), drop)
	}
	if err := server.Exec(ctx, s.conn.PgConn(), "ALTER DATABASE "+server.Ident(database)+" IS_TEMPLATE false"); err != nil {
		return err
	}
	err := server.Exec(ctx, s.conn.PgConn(), drop)
	if errors.As(err, new(*pgconn.PgError)) {
		err = errors.Join(err, server.Exec(ctx, s.conn.PgConn(), "ALTER DATABASE "+server.Ident(database)+" IS_TEMPLATE true"))
	}
	return err
}

// drop notes what became of something that was to be dropped.
func (s *loading) drop(what string, err error) error {
	s.gone = dump.Dropped(s.gone, what, err, errors.As(err, new(*pgconn.PgError)))
	return err
}
