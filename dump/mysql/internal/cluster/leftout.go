package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// ownTables are the tables that the servers have in the database mysql.
var ownTables = map[server.Family]string{
	server.MySQL: `columns_priv component db default_roles engine_cost event func general_log global_grants gtid_executed help_category help_keyword help_relation help_topic
		innodb_ddl_log innodb_dynamic_metadata innodb_index_stats innodb_table_stats ndb_binlog_index ndb_schema ndb_apply_status password_history plugin proc procs_priv proxies_priv
		replication_asynchronous_connection_failover replication_asynchronous_connection_failover_managed replication_group_configuration_version replication_group_member_actions
		role_edges server_cost servers slave_master_info slave_relay_log_info slave_worker_info slow_log tables_priv time_zone time_zone_leap_second time_zone_name
		time_zone_transition time_zone_transition_type user audit_log_filter audit_log_user firewall_users firewall_whitelist firewall_group_allowlist firewall_groups firewall_membership
		masking_dictionaries option_tracker_usage`,
	server.MariaDB: `columns_priv column_stats db event func general_log global_priv gtid_slave_pos help_category help_keyword help_relation help_topic host index_stats innodb_index_stats
		innodb_table_stats ndb_binlog_index plugin proc procs_priv proxies_priv roles_mapping servers slow_log tables_priv table_stats time_zone time_zone_leap_second time_zone_name
		time_zone_transition time_zone_transition_type transaction_registry user wsrep_allowlist wsrep_cluster wsrep_cluster_members wsrep_streaming_log spider_tables spider_xa`,
}

// warnOfLeftOut names what users have made on the server that a dump of all databases does not
// hold.
func (c *reader) warnOfLeftOut(ctx context.Context) error {
	owner := "mysql.%@localhost"
	if c.conn.IsMariaDB() {
		owner = "mariadb.sys@localhost"
	}
	var names []string
	own := strings.Fields(ownTables[c.conn.Family])
	for _, list := range []struct{ kind, query string }{
		{"table", "SELECT table_schema AS db, table_name AS name FROM information_schema.tables WHERE CAST(table_schema AS BINARY) IN ('mysql', 'sys') AND table_type NOT IN ('VIEW', 'TEMPORARY') ORDER BY 1, 2"},
		{"view", "SELECT table_schema AS db, table_name AS name FROM information_schema.views WHERE CAST(table_schema AS BINARY) IN ('mysql', 'sys') AND definer NOT LIKE '" + owner + "' ORDER BY 1, 2"},
		{"routine", "SELECT routine_schema AS db, routine_name AS name FROM information_schema.routines WHERE CAST(routine_schema AS BINARY) IN ('mysql', 'sys') AND definer NOT LIKE '" + owner + "' ORDER BY 1, 2"},
		{"event", "SELECT event_schema AS db, event_name AS name FROM information_schema.events WHERE CAST(event_schema AS BINARY) IN ('mysql', 'sys') ORDER BY 1, 2"},
	} {
		rows, err := c.conn.List(ctx, list.query)
		if err != nil {
			return fmt.Errorf("look into the server's own databases: %w", err)
		}
		for _, r := range rows {
			db, name := r["db"], r["name"]
			switch {
			case strings.HasPrefix(name, "rds_"): // a hosted server's own
			case list.kind == "table" && (db == "sys" && name == "sys_config" || db == "mysql" && slices.Contains(own, name)):
			default:
				names = append(names, list.kind+" "+db+"."+name)
			}
		}
	}
	if len(names) > 0 {
		c.warn("these are in the server's own databases, and not in the dump: " + dump.Listed(names) + "; move them to a database of their own, or dump them with mysqldump or mariadb-dump")
	}
	if c.conn.IsMariaDB() {
		return nil
	}
	for _, list := range []struct{ what, query string }{
		{"resource groups", "SELECT resource_group_name AS name FROM information_schema.resource_groups WHERE resource_group_name NOT IN ('USR_default', 'SYS_default') ORDER BY 1"},
		{"tablespaces", "SELECT name FROM information_schema.innodb_tablespaces WHERE space_type = 'General' AND name <> 'mysql' ORDER BY 1"},
	} {
		rows, err := c.conn.List(ctx, list.query)
		if err != nil && server.ErrorNumber(err) == 0 {
			return fmt.Errorf("read %s: %w", list.what, err)
		}
		names = nil // which an account without PROCESS does not see
		for _, r := range rows {
			names = append(names, r["name"])
		}
		if len(names) > 0 {
			c.warn("the server's " + list.what + " are not in the dump, and have to be there before it is restored: " + dump.Listed(names))
		}
	}
	return nil
}
