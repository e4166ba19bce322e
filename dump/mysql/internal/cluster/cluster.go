// Package cluster is what a server has as a whole, besides its databases: users, roles and what
// they may do, and remote servers. It reads and writes them, and warns of what users have made on a
// server that is in no dump. The word is PostgreSQL's, for the same thing.
package cluster

import (
	"context"
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A Contents is what a dump of all databases holds besides these.
type Contents struct {
	users   []account
	roles   []string // MariaDB's, quoted; MySQL's are users
	members []string // GRANT role TO …, GRANT PROXY …: what needs only accounts
	grants  []string // all others
	servers []remote

	TimeZones bool // the server knows them by their names
}

// A reader asks a server for what it has besides databases.
type reader struct {
	conn *server.Conn
	warn func(string)
}

// Read reads users, roles and what they may do, and remote servers. An account that may not read
// those of others leaves them out, with a warning. What else users have made on the server and is
// not in a dump it warns of.
func Read(ctx context.Context, conn *server.Conn, warn func(string)) (*Contents, error) {
	c := &reader{conn: conn, warn: warn}
	a, err := c.readAccounts(ctx)
	if err != nil {
		return nil, err
	}
	if a.TimeZones, err = conn.HasTimeZones(ctx); err != nil {
		return nil, err
	}
	return a, c.warnOfLeftOut(ctx)
}

func (c *reader) readAccounts(ctx context.Context) (*Contents, error) {
	a := &Contents{}
	err := c.readUsers(ctx, a)
	if err == nil {
		err = c.readServers(ctx, a)
	}
	if server.IsError(err, server.CodeAccessDenied, server.CodeTableDenied, server.CodeDatabaseDenied, server.CodePrivilegeNeeded) {
		c.warn(fmt.Sprintf("users, roles and grants are not in the dump: %v", err))
		return &Contents{}, nil
	}
	return a, err
}
