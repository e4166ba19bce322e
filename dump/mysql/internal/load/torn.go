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

// torn returns how many rows of a statement that was refused are there all the same. MyISAM, Aria
// and others undo nothing: up to the row that they have refused all have come in.
func (s *loading) torn(ctx context.Context, st statement) (int64, error) {
	s.taken.add(st.table, 0)
	name, ok := script.Loads(st.sql)
	if !ok || !strings.HasPrefix(name, "`") {
		return 0, nil
	}
	keeps, err := s.conn.List(ctx, "SELECT 1 FROM information_schema.tables t JOIN information_schema.engines e ON e.engine = t.engine WHERE e.transactions = 'NO' AND t.table_schema = DATABASE() AND "+
		server.NameIs("t.table_name", quote.Unquoted(name)))
	if err != nil || len(keeps) == 0 {
		return 0, err
	}
	var there int64
	if err := s.conn.Row(ctx, "SELECT COUNT(*) FROM "+name, &there); err != nil {
		return 0, fmt.Errorf("count the rows of %s: %w", st.table, err)
	}
	stayed := max(0, there-s.taken.rows)
	s.taken.add(st.table, stayed)
	return stayed, nil
}
