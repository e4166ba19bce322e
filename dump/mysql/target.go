package mysql

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// lockTimeout is the setting for how long to wait for others' locks.
func lockTimeout(d time.Duration) string {
	return fmt.Sprintf("SET lock_wait_timeout = %d", max(1, int(d.Round(time.Second).Seconds())))
}

// objects are the things of a database by kinds, and what drops them: whatever
// reads others first, the tables last.
var objects = []struct{ kind, query string }{
	{"EVENT", "SELECT event_name AS name FROM information_schema.events WHERE event_schema = %s"},
	{"PACKAGE", "SELECT routine_name AS name FROM information_schema.routines WHERE routine_type = 'PACKAGE' AND routine_schema = %s"},
	{"FUNCTION", "SELECT routine_name AS name FROM information_schema.routines WHERE routine_type = 'FUNCTION' AND routine_schema = %s"},
	{"PROCEDURE", "SELECT routine_name AS name FROM information_schema.routines WHERE routine_type = 'PROCEDURE' AND routine_schema = %s"},
	{"LIBRARY", "SELECT library_name AS name FROM information_schema.libraries WHERE library_schema = %s"},
	{"VIEW", "SELECT table_name AS name FROM information_schema.tables WHERE table_type = 'VIEW' AND table_schema = %s"},
	{"TABLE", "SELECT table_name AS name FROM information_schema.tables WHERE table_type NOT IN ('VIEW', 'SEQUENCE', 'TEMPORARY') AND table_schema = %s"},
	{"SEQUENCE", "SELECT table_name AS name FROM information_schema.tables WHERE table_type = 'SEQUENCE' AND table_schema = %s"},
}

// contents names something that is in a database, or returns the empty string.
func contents(ctx context.Context, c *conn, srv server, db string) (string, error) {
	for _, o := range objects {
		if o.kind == "LIBRARY" && !srv.hasLibraries() {
			continue
		}
		rows, err := c.list(ctx, fmt.Sprintf(o.query, literal(db))+" LIMIT 1")
		if err != nil {
			return "", fmt.Errorf("look into database %s: %w", db, err)
		}
		if len(rows) > 0 {
			return strings.ToLower(o.kind) + " " + rows[0]["name"], nil
		}
	}
	return "", nil
}

// prepareOne makes sure that a database, which must exist, is empty or is
// emptied, and goes on in it.
func (s *loading) prepareOne(ctx context.Context, db string) error {
	if err := s.conn.exec(ctx, "USE "+ident(db)); err != nil {
		return err
	}
	if s.cfg.Clean {
		return s.clean(ctx, db)
	}
	found, err := contents(ctx, s.conn, s.srv, db)
	if err != nil {
		return err
	}
	if found != "" {
		return fmt.Errorf("database %s: %w: it has %s", db, ErrNotEmpty, found)
	}
	return nil
}

// prepareDatabases makes sure that databases that the dump makes do not exist,
// or are empty, or are dropped: all are looked at before one is.
func (s *loading) prepareDatabases(ctx context.Context, names []string) error {
	rows, err := s.conn.list(ctx, "SELECT schema_name AS name FROM information_schema.schemata")
	if err != nil {
		return err
	}
	exists := make(map[string]bool)
	for _, r := range rows {
		exists[r["name"]] = true
	}
	for _, db := range names {
		if !exists[db] || s.cfg.Clean {
			continue
		}
		found, err := contents(ctx, s.conn, s.srv, db)
		if err != nil {
			return err
		}
		if found != "" {
			return fmt.Errorf("the server has database %s: %w: it has %s", db, ErrNotEmpty, found)
		}
	}
	for _, db := range names {
		if !exists[db] || !s.cfg.Clean {
			continue
		}
		s.touched = true
		if err := s.conn.exec(ctx, "DROP DATABASE "+ident(db)); err != nil {
			return fmt.Errorf("drop database %s: %w", db, err)
		}
	}
	return nil
}

// clean drops everything in a database. The database stays, and with it what
// accounts may do in it.
func (s *loading) clean(ctx context.Context, db string) error {
	if err := s.conn.exec(ctx, "SET foreign_key_checks = 0"); err != nil {
		return err
	}
	for _, o := range objects {
		if o.kind == "LIBRARY" && !s.srv.hasLibraries() {
			continue
		}
		rows, err := s.conn.list(ctx, fmt.Sprintf(o.query, literal(db)))
		if err != nil {
			return fmt.Errorf("look into database %s: %w", db, err)
		}
		for _, r := range rows {
			s.touched = true
			if o.kind == "PACKAGE" { // MariaDB before 11 knows the word only so
				if err := s.conn.exec(ctx, "SET sql_mode = 'ORACLE'"); err != nil {
					return err
				}
			}
			if err := s.conn.exec(ctx, "DROP "+o.kind+" "+ident(r["name"])); err != nil {
				return fmt.Errorf("clean database %s: drop %s %s: %w", db, strings.ToLower(o.kind), r["name"], err)
			}
		}
	}
	return s.conn.exec(ctx, "SET foreign_key_checks = 1")
}
