package scratch

import (
	"context"
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Drop drops a made database: see dump.Scratch.
func (s *Scratch) Drop(ctx context.Context, name string) error {
	if err := s.hasMade(name); err != nil {
		return err
	}
	if err := s.drop(ctx, name); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	s.made = slices.DeleteFunc(s.made, func(n string) bool { return n == name })
	if len(s.made) == 0 {
		s.letGo()
	}
	return nil
}

// drop drops a database in a session of its own: the one with the locks has to live longer than any
// ctx.
func (s *Scratch) drop(ctx context.Context, name string) error {
	c, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return dropBy(ctx, c, name)
}

// dropBy drops a database. Who is connected to it does not matter to the server, but who is in the
// middle of something there does: the account's own sessions, as those of a drill that was killed,
// are ended, and others are given some time.
func dropBy(ctx context.Context, c *server.Conn, name string) (err error) {
	const tries = 3
	for range tries {
		if err = endOwn(ctx, c, name); err != nil {
			return err
		}
		if err = c.Exec(ctx, "DROP DATABASE IF EXISTS "+quote.Name(name)); !server.IsError(err, server.CodeLockWaitTimeout) {
			break
		}
	}
	return err
}

// endOwn ends the account's sessions in a database. Of others' it may see none.
func endOwn(ctx context.Context, c *server.Conn, name string) error {
	const gone, notOwner = 1094, 1095
	ids, err := c.Firsts(ctx, "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user = SUBSTRING_INDEX(USER(), '@', 1) AND "+server.NameIs("db", name))
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := c.Exec(ctx, "KILL CONNECTION "+id); err != nil && !server.IsError(err, gone, notOwner) {
			return err
		}
	}
	return nil
}
