package unload

import (
	"context"
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/cluster"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Databases are those that a dump of several, or of all, would hold, each of which is to be dumped
// by itself, in the order of their names. Those that every cluster has are not among them where
// they hold nothing and no pattern names any database.
func Databases(ctx context.Context, cfg Config) ([]string, error) {
	names, err := cfg.databases(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the databases: %w", err)
	}
	return names, nil
}

func (c Config) databases(ctx context.Context) ([]string, error) {
	conn, _, err := c.connect(ctx, c.Conn.Database)
	if err != nil {
		return nil, err
	}
	defer server.HangUp(conn)
	names, err := cluster.DatabaseNames(ctx, conn)
	if err != nil {
		return nil, err
	}
	c.AllowEmpty = true // it is for whoever asked to say that there is none
	names, err = c.asked(names)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, name := range names {
		if len(c.Databases) == 0 && (name == "postgres" || name == "template1") {
			empty, err := c.isEmpty(ctx, name)
			if err != nil {
				return nil, fmt.Errorf("database %s: %w", name, err)
			}
			if empty {
				continue
			}
		}
		list = append(list, name)
	}
	slices.Sort(list)
	return list, nil
}
