package catalog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Estimate returns about how many bytes of rows a dump of the selection holds, by how long the
// server found the tables when it last vacuumed or analysed them, with what they keep out of line;
// 0 where it did so with none. How long a table is now would only be told by opening it, and so by
// waiting for whoever has it locked.
func Estimate(ctx context.Context, conn *pgx.Conn, sel *choice.Rules) (int64, error) {
	if sel.SchemaOnly {
		return 0, nil
	}
	type row struct {
		Schema, Name, RootSchema, RootName string // the latter of what it is a partition of, or its own
		Bytes                              int64
	}
	rows, err := server.Query[row](ctx, conn, `
		WITH s AS (`+UserSchemas+`)
		SELECT s.nspname::text AS schema, c.relname::text AS name, rn.nspname::text AS root_schema, r.relname::text AS root_name,
		       (greatest(c.relpages, 0)::int8 + greatest(coalesce(o.relpages, 0), 0)) * current_setting('block_size')::int8 AS bytes
		FROM pg_class c JOIN s ON s.oid = c.relnamespace LEFT JOIN pg_class o ON o.oid = c.reltoastrelid
		JOIN pg_class r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid) JOIN pg_namespace rn ON rn.oid = r.relnamespace
		WHERE c.relkind = 'r' AND c.relpersistence <> 't'
		UNION ALL SELECT '', '', '', '', greatest(relpages, 0)::int8 * current_setting('block_size')::int8 FROM pg_class WHERE oid = 'pg_largeobject'::regclass AND EXISTS (SELECT FROM pg_largeobject_metadata)`)
	if err != nil {
		return 0, fmt.Errorf("estimate the size: %w", err)
	}
	var n int64
	unused := map[*choice.Pattern]bool{}
	for _, r := range rows {
		own, whole := sel.Holds(true, true, r.Schema, r.Name), sel.Holds(true, true, r.RootSchema, r.RootName)
		switch {
		case sel.Including() && !own && !whole, !sel.Including() && !(own && whole):
		case sel.NotData.Match(unused, r.Schema, r.Name) || sel.NotData.Match(unused, r.RootSchema, r.RootName):
		default:
			n += r.Bytes
		}
	}
	return n, nil
}
