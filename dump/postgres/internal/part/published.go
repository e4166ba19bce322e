package part

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// tellPublished warns of the publications that list a table which is dropped: the one that is made
// in its place is in none of them.
func (p *Part) tellPublished(ctx context.Context, conn *pgx.Conn, gone map[uint32]bool) error {
	rows, err := conn.Query(ctx, `
		SELECT pg_catalog.format('publication %I loses table %s, which is made anew: ALTER PUBLICATION %1$I ADD TABLE %2$s', pubname, pg_catalog.format('%I.%I', nspname, relname))
		FROM pg_catalog.pg_publication_rel JOIN pg_catalog.pg_publication p ON p.oid = prpubid
		JOIN pg_catalog.pg_class c ON c.oid = prrelid JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
		WHERE prrelid = ANY ($1) ORDER BY 1`, slices.Collect(maps.Keys(gone)))
	if err != nil {
		return fmt.Errorf("look for publications: %w", err)
	}
	told, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, text := range told {
		p.Warn(text)
	}
	return err
}
