package catalog

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A role's name, as it is and as SQL writes it.
type role struct{ name, Quoted string }

// BootstrapUser is the OID of the role that initdb makes (pg_authid.dat).
const BootstrapUser = 10

// ReadRoles reads the names of all roles.
func ReadRoles(ctx context.Context, conn *pgx.Conn) (Roles, error) {
	type row struct {
		OID          uint32 `db:"oid"`
		Name, Quoted string
	}
	rows, err := server.Query[row](ctx, conn, `SELECT oid, rolname AS name, quote_ident(rolname) AS quoted FROM pg_roles`)
	all := make(Roles, len(rows))
	for _, r := range rows {
		all[r.OID] = role{r.Name, r.Quoted}
	}
	return all, err
}
