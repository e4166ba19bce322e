// Package fresh makes a database that a dump goes into as a new one is: it finds what there is in
// one, says which of that is in the way, and drops it or takes it back. Which databases those are,
// and whether it may, is the load's to say.
package fresh

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A Target is a database that a dump goes into, and a session in it.
type Target struct {
	Conn *pgx.Conn
	Srv  server.Info
	Name string
	Warn func(string)
}

// Look names something that keeps the database from being as a new one, and counts what there is
// besides, or returns the empty string. With keeps it is to stay as it is, and what does not count
// is told.
func (t Target) Look(ctx context.Context, keeps bool) (what string, more int, err error) {
	what, more, err = t.contents(ctx)
	if err == nil && what == "" {
		what, more, err = t.besides(ctx, keeps)
	}
	return what, more, err
}

// besides names something that a database has which has no contents, and counts what there is more,
// or returns the empty string. What is harmless does not count: a provider may have set it in all
// of his databases, new ones too. With keeps it is told.
func (t Target) besides(ctx context.Context, keeps bool) (what string, more int, err error) {
	if err := server.Exec(ctx, t.Conn.PgConn(), "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"); err != nil {
		return "", 0, err
	}
	list, err := catalog.Additions(ctx, t.Conn, t.Srv)
	if err != nil {
		return "", 0, err
	}
	if err := server.Exec(ctx, t.Conn.PgConn(), "ROLLBACK"); err != nil {
		return "", 0, err
	}
	var made, other []catalog.Addition
	for _, a := range list {
		if a.Harmless {
			other = append(other, a)
		} else {
			made = append(made, a)
		}
	}
	if len(other) > 0 && keeps {
		t.Warn(fmt.Sprintf("database %s has other than a new one, and keeps where the dump does not say otherwise: %s", t.Name, dump.Listed(NamesOf(other))))
	}
	names := NamesOf(made)
	if len(names) == 0 {
		return "", 0, nil
	}
	return names[0], len(names) - 1, nil
}

// NamesOf names additions, each once.
func NamesOf(list []catalog.Addition) []string {
	var names []string
	for _, a := range list {
		if !slices.Contains(names, a.Name) {
			names = append(names, a.Name)
		}
	}
	return names
}

// contents names something that a user made in the database and counts what there is besides, or
// returns the empty string. Extensions do not count: a template may bring them, and a dump makes
// them only where they are missing.
func (t Target) contents(ctx context.Context) (what string, more int, err error) {
	var found *string
	var n int
	err = t.Conn.QueryRow(ctx, `
		WITH s AS (`+catalog.UserSchemas+`), member AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
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
