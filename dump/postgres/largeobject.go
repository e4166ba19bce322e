package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// readLargeObjects reads which large objects there are. Their contents are
// written with the rows.
func readLargeObjects(ctx context.Context, c *catalog) error {
	if c.sel.schemaOnly {
		return nil
	}
	type row struct {
		header
		ACL []string `db:"acl"`
		Def []string
	}
	rows, err := query[row](ctx, c, `
		SELECT oid, 0::oid AS schema, oid::text AS name, lomowner AS owner, lomacl::text[] AS acl, acldefault('L', lomowner)::text[] AS def
		FROM pg_largeobject_metadata ORDER BY oid`)
	if err != nil {
		return err
	}
	c.counted("large objects", len(rows), "SELECT count(*) FROM pg_largeobject_metadata")
	for _, row := range rows {
		o := c.add(&object{address: address{class: classLargeObject, oid: row.OID}, kind: kindLargeObject, word: "LARGE OBJECT"}, row.header)
		if err := c.grantOn(o, "LARGE OBJECT", row.Owner, row.ACL, row.Def); err != nil {
			return err
		}
		o.define = func(p *printer) { p.stmt("SELECT pg_catalog.lo_create(%d)", row.OID) }
	}
	return nil
}

// largeObjectPiece is how much of a large object is read and written at once, in bytes.
const largeObjectPiece = 256 << 10

// copyLargeObject writes a large object's content as statements, each of which
// stands by itself.
func copyLargeObject(ctx context.Context, conn *pgx.Conn, p *printer, oid uint32) error {
	for at := int64(0); ; at += largeObjectPiece {
		var piece []byte
		if err := conn.QueryRow(ctx, `SELECT lo_get($1, $2, $3)`, oid, at, largeObjectPiece).Scan(&piece); err != nil {
			if isForbidden(err) {
				err = &RightError{fmt.Sprintf("the role may not; GRANT SELECT ON LARGE OBJECT %d TO it, or dump as a superuser", oid), err}
			}
			return fmt.Errorf("read large object %d: %w", oid, err)
		}
		if len(piece) > 0 {
			p.stmt(`SELECT pg_catalog.lo_put(%d, %d, '\x%x')`, oid, at, piece)
		}
		if len(piece) < largeObjectPiece {
			return nil
		}
	}
}
