package scratch

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Drop drops a made database: see dump.Scratch.
func (s *Scratch) Drop(ctx context.Context, name string) error {
	if err := s.hasMade(name); err != nil {
		return err
	}
	if err := s.drop(ctx, name); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	s.release(ctx, name)
	s.made = slices.DeleteFunc(s.made, func(n string) bool { return n == name })
	return nil
}

// drop drops a database from a session of its own: the one with the locks has to live longer than
// any ctx.
func (s *Scratch) drop(ctx context.Context, name string) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer server.HangUp(conn)
	return server.Ended(conn.PgConn(), s.dropBy(ctx, conn, name))
}

// dropBy drops a database, whoever is in it. A subscription in it would keep it, and to drop that
// would drop its slot, which is not the copy's but the original's: so it is parted from the slot
// first.
func (s *Scratch) dropBy(ctx context.Context, conn *pgx.Conn, name string) error {
	if err := s.unsubscribe(ctx, conn, name); err != nil {
		return fmt.Errorf("drop its subscriptions: %w", err)
	}
	sql := "DROP DATABASE IF EXISTS " + server.Ident(name)
	err := server.Exec(ctx, conn.PgConn(), sql+" WITH (FORCE)")
	if !server.IsForbidden(err) {
		return err
	}
	// Somebody else's session is in it, which the role may not end: a superuser's, say. Ours go,
	// and the statement itself waits 5 s for the others.
	const tries = 3
	for range tries {
		if _, err := conn.Exec(ctx, `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
			WHERE datname = $1 AND usename = current_user AND pid <> pg_catalog.pg_backend_pid()`, name); err != nil {
			return err
		}
		if err = server.Exec(ctx, conn.PgConn(), sql); !server.HasCode(err, "55006") { // object_in_use
			break
		}
	}
	return err
}

// unsubscribe drops the subscriptions in a database, and leaves their slots, which are on another
// server, alone.
func (s *Scratch) unsubscribe(ctx context.Context, conn *pgx.Conn, name string) error {
	var there bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_subscription JOIN pg_catalog.pg_database d ON d.oid = subdbid WHERE datname = $1)`, name).Scan(&there)
	if err != nil || !there {
		return err
	}
	within, _, err := server.Connect(ctx, s.cfg.Conn, name, server.ForLoading(patience))
	if err != nil {
		return err
	}
	defer server.HangUp(within)
	rows, err := within.Query(ctx, `SELECT subname::pg_catalog.text FROM pg_catalog.pg_subscription
		WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, sub := range names {
		q := server.Ident(sub)
		for _, sql := range []string{"ALTER SUBSCRIPTION " + q + " DISABLE", "ALTER SUBSCRIPTION " + q + " SET (slot_name = NONE)", "DROP SUBSCRIPTION " + q} {
			if err := server.Exec(ctx, within.PgConn(), sql); err != nil {
				return fmt.Errorf("%s: %w", sub, err)
			}
		}
	}
	return nil
}
