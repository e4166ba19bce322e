package load

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// taken are the rows that a table has by the statements so far.
type taken struct {
	table string
	rows  int64
}

// add adds rows that the server has taken into a table. Tables come one after another.
func (t *taken) add(table string, rows int64) {
	if t.table != table {
		*t = taken{table: table}
	}
	t.rows += rows
}

// beginTaken counts what a table holds before the first of its rows, where it may hold any.
func (s *loading) beginTaken(ctx context.Context, st statement) error {
	if !st.rows || !s.refusals.goesOn() || s.cfg.Part == nil || !s.cfg.Part.DataOnly || s.taken.table == st.table {
		return nil
	}
	there, keeps, err := s.kept(ctx, st)
	if keeps {
		s.taken.add(st.table, there)
	}
	return err
}

// torn returns how many rows of a statement that was refused are there all the same. MyISAM, Aria
// and others undo nothing: up to the row that they have refused all have come in.
func (s *loading) torn(ctx context.Context, st statement) (int64, error) {
	s.taken.add(st.table, 0)
	there, keeps, err := s.kept(ctx, st)
	if err != nil || !keeps {
		return 0, err
	}
	stayed := min(max(0, there-s.taken.rows), rowsIn(st.sql, s.mode)) // others may write, too
	s.taken.add(st.table, stayed)
	return stayed, nil
}

// kept counts the rows of the table that a statement loads, if its engine undoes nothing.
func (s *loading) kept(ctx context.Context, st statement) (there int64, keeps bool, err error) {
	name, ok := script.Loads(st.sql)
	if !ok || !strings.HasPrefix(name, "`") {
		return 0, false, nil
	}
	found, err := s.conn.List(ctx, "SELECT 1 FROM information_schema.tables t JOIN information_schema.engines e ON e.engine = t.engine WHERE e.transactions = 'NO' AND t.table_schema = DATABASE() AND "+
		server.NameIs("t.table_name", quote.Unquoted(name)))
	if err != nil || len(found) == 0 {
		return 0, false, err
	}
	if err := s.conn.Row(ctx, "SELECT COUNT(*) FROM "+name, &there); err != nil {
		return 0, false, fmt.Errorf("count the rows of %s: %w", st.table, err)
	}
	return there, true, nil
}
