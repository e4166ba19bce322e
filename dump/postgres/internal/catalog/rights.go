package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Most of what a role may not see a server refuses, which ends the dump. Where it answers with less
// instead, that is found out, and said with what to grant:
//
//   - rows under row level security: row_security is off, which makes them an error;
//   - passwords of roles, which pg_roles does not show: see package cluster;
//   - options of user mappings, which pg_user_mappings shows as NULL: see blindMappings;
//   - the connections of subscriptions: see readSubscriptions;
//   - where sequences stand: 17 and later say NULL, of which the SELECT that follows is refused;
//   - databases that nobody can connect to: see TellUnreachable in package cluster.
//
// All else that is read is in catalogues and functions that initdb leaves to everybody, and where
// somebody has taken a right away from the role that is an error. Large objects are refused, unless
// lo_compat_privileges shows them to all.

// blindMappings tells of user mappings whose options the role may not see.
func blindMappings(ctx context.Context, c *Database) error {
	if c.srv.SeesMappings {
		return nil
	}
	type row struct{ Name string }
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT format('FOR %s SERVER %I', CASE WHEN umuser = 0 THEN 'PUBLIC' ELSE quote_ident(usename) END, srvname) AS name
		FROM pg_user_mappings WHERE umoptions IS NULL ORDER BY 1`)
	if err != nil || len(rows) == 0 {
		return err
	}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Name
	}
	c.warn(fmt.Sprintf("user mappings are dumped without their options, which the role may not see: %s; %s in this database, or dump as a superuser",
		strings.Join(names, ", "), c.srv.ToGrant("pg_user_mapping")))
	return nil
}
