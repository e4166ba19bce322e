// Package catalog is what a server's databases hold, all but the rows: it reads databases, tables
// with their columns and keys, views, sequences, routines, triggers and events, says which order
// they go in and what a dump needs of the session that loads it, and writes them as SQL.
//
// Rows are read and written by package rows, which asks it for their tables; accounts and what else
// a server has as a whole are for package cluster.
package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/value"
)

// A Reader reads definitions on a connection of its own, which sees the server as it is, not as it
// was at the moment of the dump: the servers keep no versions of definitions.
type Reader struct {
	Conn  *server.Conn
	Warn  func(string) // told what is not in the dump, or not as it was
	Debug func(string) // told of choices

	engines  map[string]bool // whether they are transactional
	charsets map[string]*value.Charset
	texts    viewTexts // MariaDB's; nil: not read yet
}

// ReadEngines learns which storage engines keep versions of rows.
func (c *Reader) ReadEngines(ctx context.Context) error {
	rows, err := c.Conn.List(ctx, "SELECT engine AS name, transactions AS yes FROM information_schema.engines")
	if err != nil {
		return fmt.Errorf("read storage engines: %w", err)
	}
	c.engines = make(map[string]bool)
	for _, r := range rows {
		c.engines[strings.ToLower(r["name"])] = r["yes"] == "YES"
	}
	return nil
}

// Databases returns the names of all but the server's own databases.
func (c *Reader) Databases(ctx context.Context) ([]string, error) {
	rows, err := c.Conn.ListCounted(ctx, "databases", "SELECT schema_name AS name FROM information_schema.schemata", "SELECT COUNT(*) FROM information_schema.schemata")
	if err != nil {
		return nil, fmt.Errorf("read the list of databases: %w", err)
	}
	var names []string
	for _, r := range rows {
		switch name := r["name"]; {
		case c.Conn.IsSystemSchema(name):
		case dump.IsScratchName(name): // it may be dropped at any moment, and holds what a backup holds
			c.Debug("left out, as it is a drill's: database " + name)
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
