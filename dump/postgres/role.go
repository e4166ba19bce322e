package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A role's name, as it is and as SQL writes it.
type role struct{ name, quoted string }

// bootstrapUser is the OID of the role that initdb makes (pg_authid.dat).
const bootstrapUser = 10

// readRoles reads the names of all roles.
func readRoles(ctx context.Context, conn *pgx.Conn) (roles, error) {
	type row struct {
		OID          uint32 `db:"oid"`
		Name, Quoted string
	}
	rows, err := server.Query[row](ctx, conn, `SELECT oid, rolname AS name, quote_ident(rolname) AS quoted FROM pg_roles`)
	all := make(roles, len(rows))
	for _, r := range rows {
		all[r.OID] = role{r.Name, r.Quoted}
	}
	return all, err
}
