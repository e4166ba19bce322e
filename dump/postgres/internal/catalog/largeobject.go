package catalog

import (
	"context"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readLargeObjects reads which large objects there are. Their contents are written with the rows.
func readLargeObjects(ctx context.Context, c *Database) error {
	if c.sel.SchemaOnly {
		return nil
	}
	type row struct {
		header
		ACL []string `db:"acl"`
		Def []string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT oid, 0::oid AS schema, oid::text AS name, lomowner AS owner, lomacl::text[] AS acl, acldefault('L', lomowner)::text[] AS def
		FROM pg_largeobject_metadata ORDER BY oid`)
	if err != nil {
		return err
	}
	c.counted("large objects", len(rows), "SELECT count(*) FROM pg_largeobject_metadata")
	for _, row := range rows {
		o := c.add(&object{Address: Address{class: classLargeObject, OID: row.OID}, kind: kindLargeObject, word: "LARGE OBJECT"}, row.header)
		if err := c.grantOn(o, "LARGE OBJECT", row.Owner, row.ACL, row.Def); err != nil {
			return err
		}
		o.define = func(p *script.Printer) { p.Stmt("SELECT pg_catalog.lo_create(%d)", row.OID) }
	}
	return nil
}
