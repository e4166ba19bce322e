package load

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// fill sends the rows of a job's COPY, with the triggers of its table silent where that was asked
// for.
func (s *session) fill(ctx context.Context, j *job) (err error) {
	table := copied(j.item.Text)
	off, on := "", ""
	if s.silent && table != nil {
		if off, on, err = s.triggers(ctx, table.String()); err != nil {
			return s.unread(j, err)
		}
	}
	if off == "" {
		j.rows, j.bytes, err = s.copyIn(ctx, j)
		return err
	}
	return s.fillSilently(ctx, j, off, on)
}

// fillSilently sends the rows in a transaction in which the triggers are silent: whatever ends it
// before its end, they are not silent any more.
func (s *session) fillSilently(ctx context.Context, j *job, off, on string) (err error) {
	if !s.single {
		off, on = "BEGIN; "+off, on+"COMMIT"
	}
	if err = server.Exec(ctx, s.conn.PgConn(), off); err != nil {
		if server.IsForbidden(err) {
			err = fmt.Errorf("keep the table's triggers silent, which takes a superuser: %w", err)
		}
		err = s.unread(j, err)
	} else if j.rows, j.bytes, err = s.copyIn(ctx, j); err == nil {
		err = server.Exec(ctx, s.conn.PgConn(), on)
	}
	if err != nil && !s.single && !s.conn.IsClosed() {
		err = errors.Join(err, server.Exec(ctx, s.conn.PgConn(), "ROLLBACK"))
	}
	return err
}

// unread counts the rows of a COPY that was not begun, of a load that goes on without them.
func (s *session) unread(j *job, err error) error {
	if !s.goesOn || !server.IsRefusal(err) {
		return err
	}
	for _, broken := range counted(pieces(j.item), &j.read) {
		if broken != nil {
			return broken
		}
	}
	return err
}

// triggers returns the statements that keep the triggers of a table and its partitions silent,
// those of foreign keys included, and those that leave each as it was found. They are empty where
// there are no triggers.
func (s *session) triggers(ctx context.Context, table string) (off, on string, err error) {
	rows, err := s.conn.Query(ctx, `
		WITH r AS (SELECT relid FROM pg_catalog.pg_partition_tree($1::pg_catalog.text::pg_catalog.regclass)
		           UNION SELECT $1::pg_catalog.text::pg_catalog.regclass),
		t AS (SELECT tgrelid::pg_catalog.regclass::pg_catalog.text AS rel, tgname, tgenabled FROM pg_catalog.pg_trigger WHERE tgrelid IN (SELECT relid FROM r))
		SELECT 1 AS step, pg_catalog.format('ALTER TABLE ONLY %s DISABLE TRIGGER ALL; ', rel) AS sql FROM t
		UNION SELECT 2, pg_catalog.format('ALTER TABLE ONLY %s ENABLE TRIGGER ALL; ', rel) FROM t
		UNION SELECT 3, pg_catalog.format('ALTER TABLE ONLY %s %s TRIGGER %I; ', rel,
			CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, tgname) FROM t WHERE tgenabled <> 'O'
		ORDER BY 1, 2`, table)
	if err != nil {
		return "", "", server.Ended(s.conn.PgConn(), err)
	}
	var step int
	var sql string
	var disable, enable strings.Builder
	_, err = pgx.ForEachRow(rows, []any{&step, &sql}, func() error {
		if step == 1 {
			disable.WriteString(sql)
		} else {
			enable.WriteString(sql)
		}
		return nil
	})
	if err != nil {
		return "", "", fmt.Errorf("look for the table's triggers: %w", server.Ended(s.conn.PgConn(), err))
	}
	return disable.String(), enable.String(), nil
}
