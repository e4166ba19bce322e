// Package scratch makes databases for drills on a server and drops them again: see dump.Scratch.
//
// A database of a drill is known by its name and by its comment, both of which only a drill makes.
// A living drill is known by a session that holds an advisory lock on the name. The server ends it
// with the drill, however that ends, and shows its locks to everybody, whatever database they are
// in.
package scratch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Config says where databases are made.
type Config struct {
	Conn     *pgx.ConnConfig
	Database string // that is connected to in order to make others; "": postgres, template1, Conn's
	Prefix   string
	Owner    string // of what is made; "": the connecting role
	Warn     func(string)
}

// patience bounds each wait for a lock that others hold. Nothing here has to wait for long: who
// waits for a lock on the catalogue of databases keeps others from connecting.
const patience = 10 * time.Second

// mark is the comment of a drill's database.
const mark = "made by breaking-backups for a drill, which drops it; what a drill has left the next one drops"

// A Scratch is a dump.Scratch.
type Scratch struct {
	cfg   Config
	conn  *pgx.Conn // holds the locks; nil: there are none
	made  []string
	admin string // the database that was connected to
}

// New connects to nothing.
func New(cfg Config) *Scratch { return &Scratch{cfg: cfg} }

// hasMade returns an error for a database that the Scratch has not made, or has dropped.
func (s *Scratch) hasMade(name string) error {
	if !slices.Contains(s.made, name) {
		return fmt.Errorf("database %q was not made by this drill", name)
	}
	return nil
}

// Close ends the session that holds the locks.
func (s *Scratch) Close() error {
	if s.conn != nil {
		server.HangUp(s.conn)
		s.conn = nil
	}
	s.made = nil
	return nil
}

// connect opens a session in the database from which others are made.
func (s *Scratch) connect(ctx context.Context) (*pgx.Conn, error) {
	names := []string{s.cfg.Database}
	switch {
	case s.cfg.Database == "" && s.admin != "":
		names = []string{s.admin}
	case s.cfg.Database == "":
		names = []string{"postgres", "template1", s.cfg.Conn.Database}
	}
	var first error
	for _, name := range names {
		conn, _, err := server.Connect(ctx, s.cfg.Conn, name, server.ForLoading(patience))
		if err == nil {
			s.admin = name
			return conn, nil
		}
		if first == nil {
			first = err
		}
		// No such database, no right to connect to it, or it takes no connections.
		if !server.HasCode(err, "3D000", "42501", "55000", "28000") {
			return nil, err
		}
	}
	return nil, first
}

// key is the number by which a name is locked.
const key = "pg_catalog.hashtextextended('breaking-backups drill ' || $1, 0)"

// hold locks a name for as long as the Scratch has its session.
func (s *Scratch) hold(ctx context.Context, name string) error {
	if s.conn == nil || s.conn.IsClosed() {
		conn, err := s.connect(ctx)
		if err != nil {
			return err
		}
		s.conn = conn
	}
	var got bool
	if err := s.conn.QueryRow(ctx, "SELECT pg_catalog.pg_try_advisory_lock("+key+")", name).Scan(&got); err != nil {
		return fmt.Errorf("lock the name: %w", server.Ended(s.conn.PgConn(), err))
	}
	if !got {
		return errors.New("its name is another drill's")
	}
	return nil
}

// release lets a name go.
func (s *Scratch) release(ctx context.Context, name string) {
	if s.conn == nil || s.conn.IsClosed() {
		return
	}
	var done bool
	if err := s.conn.QueryRow(ctx, "SELECT pg_catalog.pg_advisory_unlock("+key+")", name).Scan(&done); err != nil {
		server.HangUp(s.conn)
		s.conn = nil
	}
}

// Sweep drops what drills have left: see dump.Scratch.
func (s *Scratch) Sweep(ctx context.Context) (dropped []string, err error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer server.HangUp(conn)
	left, err := s.left(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("look for what drills have left: %w", err)
	}
	var failed []error
	for _, name := range left {
		free, err := mayDrop(ctx, conn, name)
		if err == nil && free {
			if err = s.dropBy(ctx, conn, name); err == nil {
				dropped = append(dropped, name)
			}
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("drop %s: %w", name, server.Ended(conn.PgConn(), err)))
		}
		if conn.IsClosed() {
			break
		}
	}
	return dropped, errors.Join(failed...)
}

// left are the databases that drills have made under the prefix, living ones too.
func (s *Scratch) left(ctx context.Context, conn *pgx.Conn) (names []string, err error) {
	rows, err := conn.Query(ctx, `SELECT datname::pg_catalog.text, coalesce(pg_catalog.shobj_description(oid, 'pg_database') = $2, false)
		FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname::pg_catalog.text, $1) ORDER BY 1`, s.cfg.Prefix, mark)
	if err != nil {
		return nil, err
	}
	var name string
	var marked bool
	_, err = pgx.ForEachRow(rows, []any{&name, &marked}, func() error {
		prefix, _, ok := dump.ParseScratchName(name)
		switch {
		case !ok || prefix != s.cfg.Prefix || slices.Contains(s.made, name):
		case marked:
			names = append(names, name)
		default:
			s.cfg.Warn(fmt.Sprintf("database %s has the name of a drill's and not its comment, so it stays: drop it by hand if nobody needs it", name))
		}
		return nil
	})
	return names, err
}

// mayDrop reports whether nobody uses a drill's database, and locks the name where that is so. Of a
// lock in whatever database it knows: a living drill may have been let into another one.
func mayDrop(ctx context.Context, conn *pgx.Conn, name string) (free bool, err error) {
	err = conn.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 1
		AND (classid::pg_catalog.int8 << 32 | objid::pg_catalog.int8) = `+key+` AND pid <> pg_catalog.pg_backend_pid()) AND pg_catalog.pg_try_advisory_lock(`+key+`)`, name).Scan(&free)
	return free, err
}
