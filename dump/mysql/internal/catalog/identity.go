package catalog

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// identities returns what tells each table of a database from a later one of its name. It misses a
// change within a second of the last one.
func (c *Reader) identities(ctx context.Context, db string) (map[string]string, error) {
	rows, err := c.entries(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("read the list of tables: %w", err)
	}
	list := make(map[string]string, len(rows))
	var tables []string
	for _, r := range rows {
		list[r["name"]] = r["type"]
		if r["type"] != "VIEW" {
			tables = append(tables, r["name"])
		}
	}
	err = c.holding(ctx, db, tables, func(_ []string, condition string) error {
		rows, err := c.Conn.List(ctx, `SELECT table_name AS name, CONCAT_WS(' ', table_type, engine, create_time) AS identity
			FROM information_schema.tables WHERE `+c.Conn.DatabaseIs("table_schema", db)+condition)
		for _, r := range rows {
			list[r["name"]] = r["identity"]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look at the tables: %w", err)
	}
	return list, nil
}

// Identity returns what identities returns of one table, whose rows have just been read in a
// transaction that still keeps others from giving its name to a view.
func (c *Reader) Identity(ctx context.Context, t *Table) (string, error) {
	rows, err := c.Conn.List(ctx, `SELECT CONCAT_WS(' ', table_type, engine, create_time) AS identity
		FROM information_schema.tables WHERE `+c.Conn.DatabaseIs("table_schema", t.DB.Name)+` AND `+server.NameIs("table_name", quote.Unquoted(t.Name)))
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0]["identity"], nil
}

// SameDefinition tells whether a table whose identity is another is the same all the same: MariaDB
// does not know the time when it was made of one that it opened while its file was being renamed,
// at the end of its making, and the next time that it opens it it does. Then the definition
// decides. (InnoDB's own word on a table that is younger than the dump's moment is an error of the
// query of its rows.)
func (c *Reader) SameDefinition(ctx context.Context, t *Table, identity string) (bool, error) {
	if !strings.HasPrefix(identity, t.Identity+" ") && !strings.HasPrefix(t.Identity, identity+" ") {
		return false, nil
	}
	rows, err := c.Conn.List(ctx, "SHOW CREATE TABLE "+t.Qualified())
	if err != nil || len(rows) != 1 {
		return false, err
	}
	now, err := ddl.ParseTable(rows[0]["create table"])
	now.Tail, now.Head = counter.ReplaceAllString(now.Tail, ""), t.Definition.Head
	was := t.Definition
	was.Tail = counter.ReplaceAllString(was.Tail, "")
	return now.Head == was.Head && slices.Equal(now.Elements, was.Elements) && now.Tail == was.Tail, err
}

// counter is where a table's counter stands, which rows of others move on.
var counter = regexp.MustCompile(` AUTO_INCREMENT=\d+`)

// AllIdentities returns the identities of the tables of all databases.
func (c *Reader) AllIdentities(ctx context.Context, names []string) (map[string]string, error) {
	all := make(map[string]string)
	for _, name := range names {
		tables, err := c.identities(ctx, name)
		if err != nil {
			return nil, err
		}
		for t, identity := range tables {
			all[quote.Name(name)+"."+quote.Name(t)] = identity
		}
	}
	return all, nil
}

// ErrChanged is returned for a table that another took the place of, or that was altered, between
// the moment of the dump and the reading of its rows.
var ErrChanged = errors.New("the table was altered, dropped or replaced while the dump ran; run it again")
