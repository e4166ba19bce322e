package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Options stand in the catalogues as key=value, and a server may keep there what no statement ever
// set: since November 2026 PostgreSQL's minor releases keep pg_attver in the options of columns,
// which no other server takes and which differs where the data do not. So of options only those are
// written that a statement may set, and of any other the operator is told.
//
// What is written whole, and why:
//   - options of foreign-data wrappers, servers, user mappings, foreign tables and their columns:
//     only the wrapper knows their names, and the server keeps nothing of its own among them;
//   - settings of functions, roles and databases: any name with a dot is one, and those without are
//     more in every version; see SettingAllowed for the one kind that is not;
//   - options of indexes of access methods that extensions bring, and of text search dictionaries:
//     only these know their names;
//   - what a publication, a subscription, a sequence or a collation is made with is not copied but
//     put together, clause by clause, from columns of their own.
type allowed struct {
	what  string
	names []string
}

// The server's own options by what they are of (src/backend/access/common/reloptions.c, 13 to 18).
var (
	columnOptions = allowed{"column", []string{"n_distinct", "n_distinct_inherited"}}
	tableOptions  = allowed{"table", []string{
		"fillfactor", "toast_tuple_target", "parallel_workers", "user_catalog_table",
		"vacuum_index_cleanup", "vacuum_truncate", "vacuum_max_eager_freeze_failure_rate", "log_autovacuum_min_duration",
		"autovacuum_enabled", "autovacuum_vacuum_threshold", "autovacuum_vacuum_max_threshold", "autovacuum_vacuum_insert_threshold",
		"autovacuum_analyze_threshold", "autovacuum_vacuum_cost_limit", "autovacuum_vacuum_cost_delay",
		"autovacuum_vacuum_scale_factor", "autovacuum_vacuum_insert_scale_factor", "autovacuum_analyze_scale_factor",
		"autovacuum_freeze_min_age", "autovacuum_freeze_max_age", "autovacuum_freeze_table_age",
		"autovacuum_multixact_freeze_min_age", "autovacuum_multixact_freeze_max_age", "autovacuum_multixact_freeze_table_age",
	}}
	viewOptions       = allowed{"view", []string{"security_barrier", "security_invoker"}}
	tablespaceOptions = allowed{"tablespace", []string{"seq_page_cost", "random_page_cost", "effective_io_concurrency", "maintenance_io_concurrency"}}
	indexOptions      = allowed{"index", []string{"fillfactor", "deduplicate_items", "buffering", "fastupdate", "gin_pending_list_limit", "pages_per_range", "autosummarize"}}
)

// The access methods whose options indexOptions are.
var ownIndexMethods = []string{"btree", "hash", "gist", "gin", "spgist", "brin"}

// own tells of an option whether it is one that the server keeps for itself, by the names it gives
// those.
func own(name string) bool { return strings.HasPrefix(name, "pg_") }

// SettingAllowed tells whether a setting of a role or a database is one that somebody made.
func SettingAllowed(name string) bool { return strings.Contains(name, ".") || !own(name) }

// only returns the options that are written. Of what is left out and is not known to be the
// server's own it tells warn.
func (a allowed) only(options []string, of string, warn func(string)) []string {
	var list []string
	for _, option := range options {
		name, _, _ := strings.Cut(option, "=")
		switch {
		case slices.Contains(a.names, name):
			list = append(list, option)
		case !own(name):
			warn(fmt.Sprintf("%s: the %s option %q is left out: it is not known as one that can be set", of, a.what, name))
		}
	}
	return list
}

// withoutOptions takes options out of an index's definition as the server writes it.
func withoutOptions(definition string, all, kept []string) string {
	with := func(options []string) string {
		if len(options) == 0 {
			return ""
		}
		list := make([]string, len(options))
		for i, o := range options {
			key, value, _ := strings.Cut(o, "=")
			list[i] = key + "='" + strings.ReplaceAll(value, "'", "''") + "'"
		}
		return " WITH (" + strings.Join(list, ", ") + ")"
	}
	return strings.Replace(definition, with(all), with(kept), 1)
}

// optionList writes storage options as WITH takes them, from reloptions' key=value.
func optionList(prefix string, options []string) []string {
	list := make([]string, len(options))
	for i, o := range options {
		key, value, _ := strings.Cut(o, "=")
		list[i] = prefix + server.Ident(key) + "=" + server.Literal(value)
	}
	return list
}

// TablespaceSettings writes the options of a tablespace as SET takes them. Of what is left out it
// tells warn.
func TablespaceSettings(options []string, of string, warn func(string)) []string {
	return optionList("", tablespaceOptions.only(options, of, warn))
}
