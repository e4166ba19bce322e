package mysql

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A list that the server cuts short says nothing of it. So what was read is held against what the server counts, which
// it does in one row: of databases, of what there is in each, of accounts, of each table's columns (against its
// definition), and of the rows of tables that are small enough for it to cost little. The settings that are known to
// cut lists short are ruled out (settings.go); this is for those that are not.

// count holds what was read of a database against the server's counts. Between the two something may have been made.
func (c *catalog) count(ctx context.Context, db *database) error {
	libraries := 0
	for _, r := range db.routines {
		if r.kind == "LIBRARY" {
			libraries++
		}
	}
	for _, list := range []struct {
		what   string
		listed int
		query  string
		schema string // the column of the database's name
	}{
		{"tables and views", len(db.tables) + len(db.views) + len(db.sequences) + db.unknownTables, "SELECT COUNT(*) FROM information_schema.tables WHERE table_type <> 'TEMPORARY' AND ", "table_schema"},
		{"routines", len(db.routines) - libraries + db.unknownRoutines, "SELECT COUNT(*) FROM information_schema.routines WHERE ", "routine_schema"},
		{"triggers", len(db.triggers), "SELECT COUNT(*) FROM information_schema.triggers WHERE ", "trigger_schema"},
		{"events", len(db.events), "SELECT COUNT(*) FROM information_schema.events WHERE ", "event_schema"},
	} {
		if err := c.conn.Counted(ctx, list.what, list.listed, list.query+c.conn.DatabaseIs(list.schema, db.name)); err != nil {
			return err
		}
	}
	return nil
}

// countColumns holds the columns that information_schema lists of a table against those of its definition. An account
// sees there those that it has a right to.
func (t *table) countColumns(listed int) error {
	n := 0
	for _, e := range t.definition.Elements {
		if _, _, ok := quote.CutName(e); ok {
			n++
		}
	}
	if n != listed {
		return fmt.Errorf("table %s: %w: its definition has %d columns, information_schema has %d; the account may see all with GRANT SELECT ON %s", t.label, server.ErrCount, n, listed, t.qualified())
	}
	return nil
}

// hasMoment tells whether the table's engine is one whose rows a transaction sees as of one moment. Others that know
// transactions, as NDB and Spider, count what is there by then.
func hasMoment(t *table) bool {
	return t.transactional && (strings.EqualFold(t.engine, "InnoDB") || strings.EqualFold(t.engine, "ROCKSDB"))
}

// countRows holds the rows that were read of a small table against the server's count, in the same transaction.
func (s *pieceStream) countRows(ctx context.Context, r *server.Conn) error {
	t := s.table
	if !hasMoment(t) || t.bytes >= pieceBytes || len(s.conditions) > 0 {
		return nil
	}
	return r.Counted(ctx, "rows", int(s.rows), "SELECT COUNT(*)"+t.source())
}
