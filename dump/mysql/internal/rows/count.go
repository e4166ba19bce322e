package rows

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// hasMoment tells whether the table's engine is one whose rows a transaction sees as of one moment.
// Others that know transactions, as NDB and Spider, count what is there by then.
func hasMoment(t *catalog.Table) bool {
	return t.Transactional && (strings.EqualFold(t.Engine, "InnoDB") || strings.EqualFold(t.Engine, "ROCKSDB"))
}

// countRows holds the rows that were read of a small table against the server's count, in the same
// transaction.
func (s *pieceStream) countRows(ctx context.Context, r *server.Conn) error {
	t := s.table
	if !hasMoment(t) || t.Bytes >= pieceBytes || len(s.conditions) > 0 {
		return nil
	}
	return r.Counted(ctx, "rows", int(s.Rows), "SELECT COUNT(*)"+t.Source())
}
