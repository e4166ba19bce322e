package server

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Identify returns what tells the server's data from those of others, the same on every replica as
// far as it is known there: the identity of a group, of the server that is replicated, or its own.
// MariaDB has none but a Galera cluster's: its server_uid is made of a network card's address,
// which a container gets anew each time.
func (c *Conn) Identify(ctx context.Context) (string, error) {
	if c.IsMariaDB() {
		rows, err := c.List(ctx, "SHOW STATUS LIKE 'wsrep_cluster_state_uuid'")
		if err != nil || len(rows) == 0 || strings.Trim(rows[0]["value"], "0-") == "" {
			return "", err
		}
		return dump.PlainName(rows[0]["value"]), nil
	}
	rows, err := c.List(ctx, "SHOW VARIABLES WHERE variable_name IN ('server_uuid', 'group_replication_group_name')")
	if err != nil {
		return "", err
	}
	variables := make(map[string]string)
	for _, r := range rows {
		variables[r["variable_name"]] = r["value"]
	}
	if name := variables["group_replication_group_name"]; name != "" {
		return dump.PlainName(name), nil
	}
	sources, err := c.List(ctx, "SELECT source_uuid AS id FROM performance_schema.replication_connection_status WHERE source_uuid <> '' ORDER BY 1")
	if err != nil && ErrorNumber(err) == 0 {
		return "", err
	}
	if len(sources) == 1 {
		return dump.PlainName(sources[0]["id"]), nil
	}
	return dump.PlainName(variables["server_uuid"]), nil
}
