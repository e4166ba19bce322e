package rows

import (
	"context"
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// largeObjectPiece is how much of a large object is read and written at once, in bytes.
const largeObjectPiece = 256 << 10

// WriteLargeObject writes a large object's content as statements, each of which stands by itself.
func (d *data) WriteLargeObject(ctx context.Context, p *script.Printer, oid uint32) error {
	for at := int64(0); ; at += largeObjectPiece {
		var piece []byte
		if err := d.conn.QueryRow(ctx, `SELECT lo_get($1, $2, $3)`, oid, at, largeObjectPiece).Scan(&piece); err != nil {
			if server.IsForbidden(err) {
				err = &server.RightError{Lacks: fmt.Sprintf("the role may not; GRANT SELECT ON LARGE OBJECT %d TO it, or dump as a superuser", oid), Err: err}
			}
			return fmt.Errorf("read large object %d: %w", oid, err)
		}
		if len(piece) > 0 {
			p.Stmt(`SELECT pg_catalog.lo_put(%d, %d, '\x%x')`, oid, at, piece)
		}
		if len(piece) < largeObjectPiece {
			return nil
		}
	}
}
