// Package scratch makes databases for drills on a server and drops them again: see dump.Scratch.
//
// A database of a drill is known by its name alone, which has a checksum: MySQL has no other place
// for a mark, and a table would be taken for one of the copy's. A living drill is known by a
// session that holds a lock of the name (GET_LOCK), which the server lets go with the session.
// Locks are one server's: drills that meet have to be told the same one, and not any of a cluster.
package scratch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Config says where databases are made.
type Config struct {
	Driver   *mysql.Config
	Prefix   string
	NoBinlog bool // what is made and dropped stays out of the server's binary log
}

// patience bounds each wait for a lock that others hold.
const patience = 10 * time.Second

// A Scratch is a dump.Scratch.
type Scratch struct {
	cfg  Config
	conn *server.Conn // holds the locks; nil: there are none
	made []string
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
	s.letGo()
	s.made = nil
	return nil
}

// letGo ends the session that holds the locks, and so all of them.
func (s *Scratch) letGo() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

func (s *Scratch) open(ctx context.Context) (*server.Conn, error) {
	c, err := server.Open(ctx, s.cfg.Driver, server.ForLoad, patience)
	if err == nil && s.cfg.NoBinlog {
		if err = c.LeaveBinlog(ctx); err != nil {
			c.Close()
		}
	}
	return c, err
}

// Create makes a database: see dump.Scratch. The dump itself says what its defaults are.
func (s *Scratch) Create(ctx context.Context, _ []byte) (string, error) {
	const longest = 64
	if utf8.RuneCountInString(s.cfg.Prefix)+dump.ScratchNameLength > longest {
		return "", fmt.Errorf("prefix %q: %d letters at most expected", s.cfg.Prefix, longest-dump.ScratchNameLength)
	}
	c, err := s.open(ctx)
	if err != nil {
		return "", err
	}
	defer c.Close()
	name := dump.NewScratchName(c.Fold(s.cfg.Prefix), time.Now())
	if err := s.hold(ctx, name); err != nil { // before anybody can see the database
		return "", fmt.Errorf("lock the name %s: %w", name, err)
	}
	if err = c.Exec(ctx, "CREATE DATABASE "+quote.Name(name)); err == nil {
		s.made = append(s.made, name)
		return name, nil
	}
	err = fmt.Errorf("make database %s: %w", name, err)
	if server.ErrorNumber(err) == 0 { // it may be there all the same, and it may be ctx that has ended
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if dropErr := s.drop(undo, name); dropErr != nil {
			err = errors.Join(err, fmt.Errorf("drop it again: %w", dropErr))
		}
	}
	return "", err
}

// hold locks a name for as long as the Scratch has its session.
func (s *Scratch) hold(ctx context.Context, name string) error {
	if s.conn == nil {
		c, err := s.open(ctx)
		if err != nil {
			return err
		}
		s.conn = c
	}
	got, err := lock(ctx, s.conn, name)
	if err != nil {
		s.letGo()
		return err
	}
	if !got {
		return errors.New("it is another drill's")
	}
	return nil
}

// lock locks a name, if nobody else has.
func lock(ctx context.Context, c *server.Conn, name string) (bool, error) {
	var got sql.NullBool
	err := c.Row(ctx, "SELECT GET_LOCK("+quote.Literal(name)+", 0)", &got)
	return got.Bool, err
}

// Sweep drops what drills have left: see dump.Scratch.
func (s *Scratch) Sweep(ctx context.Context) (dropped []string, err error) {
	c, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	names, err := c.Firsts(ctx, "SELECT schema_name FROM information_schema.schemata ORDER BY schema_name")
	if err != nil {
		return nil, fmt.Errorf("look for what drills have left: %w", err)
	}
	var failed []error
	for _, name := range names {
		prefix, _, ok := dump.ParseScratchName(name)
		if !ok || prefix != c.Fold(s.cfg.Prefix) || slices.Contains(s.made, name) {
			continue
		}
		free, err := lock(ctx, c, name)
		if err == nil && free {
			if err = dropBy(ctx, c, name); err == nil {
				dropped = append(dropped, name)
			}
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("drop %s: %w", name, err))
		}
		if ctx.Err() != nil || errors.Is(err, server.ErrLost) {
			break
		}
	}
	return dropped, errors.Join(failed...)
}
