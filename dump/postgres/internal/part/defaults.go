package part

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
)

// findDefaults finds to whom the target's default privileges give something of what the role makes.
// A dump grants what differs from the server's own defaults, and would leave them more than they had.
func (p *Part) findDefaults(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
		SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)::pg_catalog.text) END
		FROM pg_catalog.pg_default_acl d, pg_catalog.aclexplode(defaclacl)
		WHERE defaclobjtype IN ('r', 'S') AND grantee <> defaclrole AND pg_catalog.pg_get_userbyid(defaclrole) = current_user ORDER BY 1`)
	if err == nil {
		p.defaults, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return fmt.Errorf("look for default privileges: %w", err)
	}
	return nil
}

// withoutDefaults takes back, behind what makes a relation, what the target's default privileges
// have given of it.
func (p *Part) withoutDefaults(o *object, line int) error {
	if len(p.defaults) == 0 || o.group != relation {
		return nil
	}
	kind := "TABLE "
	if o.word == sequence {
		kind = "SEQUENCE "
	}
	return p.hand(dump.Item{Kind: dump.Definitions, Line: line, Text: "REVOKE ALL ON " + kind + p.place(o.name).String() + " FROM " + strings.Join(p.defaults, ", ") + ";"})
}
