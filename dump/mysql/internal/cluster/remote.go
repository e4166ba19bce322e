package cluster

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A remote is a server that tables of some engines are on.
type remote struct{ name, definition string }

// readServers reads the remote servers.
func (c *reader) readServers(ctx context.Context, a *Contents) error {
	rows, err := c.conn.List(ctx, "SELECT * FROM mysql.servers ORDER BY server_name")
	if err != nil {
		return fmt.Errorf("read servers: %w", err)
	}
	for _, r := range rows {
		name := quote.Name(r["server_name"])
		definition := remoteDefinition(r)
		if r.Has("options") { // which have no end since MariaDB 11.7; it shows them
			shown, err := c.conn.List(ctx, "SHOW CREATE SERVER "+name)
			if err == nil && len(shown) != 1 {
				err = fmt.Errorf("the server shows %d definitions of it", len(shown))
			}
			if err != nil {
				return fmt.Errorf("read server %s: %w", name, err)
			}
			definition = strings.TrimSuffix(shown[0]["create server"], ";")
		}
		if !strings.HasPrefix(definition, "CREATE SERVER "+name+" ") {
			return fmt.Errorf("read server %s: the server shows %+q for its definition", name, guard.Shortened(definition))
		}
		a.servers = append(a.servers, remote{name, definition})
	}
	functions, err := c.conn.List(ctx, "SELECT name FROM mysql.func ORDER BY name")
	if err != nil {
		return fmt.Errorf("read loadable functions: %w", err)
	}
	for _, r := range functions {
		c.warn(fmt.Sprintf("the loadable function %s is not in the dump: it is a file of the server's", r["name"]))
	}
	return nil
}

func remoteDefinition(r server.Record) string {
	var options []string
	for _, o := range []struct{ option, column string }{
		{"HOST", "host"}, {"DATABASE", "db"}, {"USER", "username"}, {"PASSWORD", "password"}, {"SOCKET", "socket"}, {"OWNER", "owner"},
	} {
		if r[o.column] != "" {
			options = append(options, o.option+" "+quote.Literal(r[o.column]))
		}
	}
	if port := r["port"]; port != "0" && guard.IntegerForm.MatchString(port) {
		options = append(options, "PORT "+port)
	}
	return fmt.Sprintf("CREATE SERVER %s FOREIGN DATA WRAPPER %s OPTIONS (%s)", quote.Name(r["server_name"]), quote.Name(r["wrapper"]), strings.Join(options, ", "))
}
