package catalog

import (
	"context"
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A list that the server cuts short says nothing of it. So what was read is held against what the
// server counts, which it does in one row: of databases, of what there is in each, of accounts, of
// each table's columns (against its definition), and of the rows of tables that are small enough
// for it to cost little. The settings that are known to cut lists short are ruled out
// (settings.go); this is for those that are not.

// count holds what was read of a database against the server's counts. Between the two something
// may have been made.
func (c *Reader) count(ctx context.Context, db *Database) error {
	libraries := 0
	for _, r := range db.Routines {
		if r.Kind == "LIBRARY" {
			libraries++
		}
	}
	for _, list := range []struct {
		what   string
		listed int
		query  string
		schema string // the column of the database's name
	}{
		{"tables and views", len(db.Tables) + len(db.Views) + len(db.Sequences) + db.UnknownTables, "SELECT COUNT(*) FROM information_schema.tables WHERE table_type <> 'TEMPORARY' AND ", "table_schema"},
		{"routines", len(db.Routines) - libraries + db.unknownRoutines, "SELECT COUNT(*) FROM information_schema.routines WHERE ", "routine_schema"},
		{"triggers", len(db.triggers), "SELECT COUNT(*) FROM information_schema.triggers WHERE ", "trigger_schema"},
		{"events", len(db.events), "SELECT COUNT(*) FROM information_schema.events WHERE ", "event_schema"},
	} {
		if err := c.Conn.Counted(ctx, list.what, list.listed, list.query+c.Conn.DatabaseIs(list.schema, db.Name)); err != nil {
			return err
		}
	}
	return nil
}

// countColumns holds the columns that information_schema lists of a table against those of its
// definition. An account sees there those that it has a right to.
func (t *Table) countColumns(listed int) error {
	n := 0
	for _, e := range t.Definition.Elements {
		if _, _, ok := quote.CutName(e); ok {
			n++
		}
	}
	if n != listed {
		return fmt.Errorf("table %s: %w: its definition has %d columns, information_schema has %d; the account may see all with GRANT SELECT ON %s", t.Label, server.ErrCount, n, listed, t.Qualified())
	}
	return nil
}
