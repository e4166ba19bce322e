package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// A setting is a variable of a session that can change what a statement of ours returns, or whether
// it runs: a server's defaults, which each session begins with, are anybody's to set.
type setting struct {
	name  string
	value string // as SET takes it
	shown string // as the server shows that value: what a session has anyway is not set, as that may take a right
	use   use
	why   string
}

// A use is for what a setting is needed.
type use byte

const (
	ForDump use = 1 << iota
	ForLoad
	forBoth = ForDump | ForLoad
)

// The list was made from those of MySQL 9.7 (SHOW SESSION VARIABLES, 650 names) and MariaDB 10.11
// and 11.8 (690), by reading each. What an older or newer server does not have is left out. Not on
// it is
//
//   - what costs time or memory alone: buffers, caches, the optimizer's choices, temporary tables,
//     statistics, logs,
//   - what ends in an error and never in less: max_session_mem_used, connection_memory_limit,
//     read_only, tmp_disk_table_size,
//   - what the stream itself sets for whoever loads it: foreign_key_checks, unique_checks,
//     check_constraint_checks, system_versioning_insert_history (needs.go),
//   - what formats values that we do not ask for: div_precision_increment, lc_time_names,
//     group_concat_max_len, default_week_format, block_encryption_mode,
//     windowing_use_high_precision; dates and numbers leave as they are stored,
//   - defaults of what definitions always tell: default_storage_engine, default_tmp_storage_engine,
//     collation_server, innodb_default_row_format,
//   - and the target's own policy, which a restore does not go around: default_table_encryption,
//     enforce_storage_engine, sql_log_bin, binlog_format, wsrep_OSU_method, validate_password,
//     system_versioning_alter_history.
//
// What init_connect does to a session of an account without SUPER comes before these and is
// overruled by them.
var sessionSettings = []setting{
	{"autocommit", "1", "ON", forBoth, "OFF: every query leaves a transaction open, and what is loaded is never committed"},
	{"sql_select_limit", "18446744073709551615", "18446744073709551615", forBoth, "results end after so many rows, without a word"},
	{"sql_big_selects", "1", "ON", forBoth, "OFF, or a small max_join_size: long queries are refused"},
	{"sql_mode", "''", "", forBoth, "how names and strings are shown and read (ANSI_QUOTES, NO_BACKSLASH_ESCAPES, PAD_CHAR_TO_FULL_LENGTH)"},
	{"completion_type", "0", "NO_CHAIN", forBoth, "RELEASE: a COMMIT ends the session; CHAIN: it begins another transaction, without a moment of its own"},
	{"transaction_read_only", "0", "OFF", ForLoad, "ON: nothing is written"},
	{"tx_read_only", "0", "OFF", ForLoad, "the same before MariaDB 11.1"},
	{"time_zone", "'+00:00'", "+00:00", ForDump, "TIMESTAMP values, and times of events"},
	{"sql_auto_is_null", "0", "OFF", forBoth, "IS NULL finds the row inserted last"},
	{"sql_buffer_result", "0", "OFF", forBoth, "results go through temporary tables, as large as they are, and MySQL makes views that say so, and are refused"},
	{"sql_quote_show_create", "1", "ON", forBoth, "names are shown, and those of triggers kept, without quotes"},
	{"max_sort_length", "8192", "8192", ForDump, "rows with long keys come in any order"},
	{"explicit_defaults_for_timestamp", "1", "ON", ForLoad, "OFF: the first TIMESTAMP of a table gets a default that it did not have"},
	{"innodb_strict_mode", "0", "OFF", ForLoad, "ON: tables that were made without it are refused (1118, 1031, 1005)"},
	{"sql_safe_updates", "0", "OFF", forBoth, "statements without a key are refused"},
	{"net_write_timeout", "31536000", "31536000", forBoth, "whoever takes the dump may be slow"},
	{"net_read_timeout", "31536000", "31536000", forBoth, "a connection that waits for its turn is idle"},
	{"wait_timeout", "31536000", "31536000", forBoth, "the same"},
}

// mysqlSettings are those of MySQL alone.
var mysqlSettings = []setting{
	{"max_execution_time", "0", "0", forBoth, "queries are ended after so long"},
	{"information_schema_stats_expiry", "0", "0", ForDump, "sizes of tables may be a day old"},
	{"print_identified_with_as_hex", "1", "ON", ForDump, "bytes of a password's hash are no text"},
	{"show_gipk_in_create_table_and_information_schema", "1", "ON", ForDump, "OFF: generated primary keys are not there, and neither are they after a restore"},
	{"sql_generate_invisible_primary_key", "0", "OFF", ForLoad, "ON: tables without a key get one"},
	{"sql_require_primary_key", "0", "OFF", ForLoad, "ON: tables without a key are refused"},
	{"use_secondary_engine", "0", "OFF", ForDump, "rows are read from a copy that may be behind"},
	{"show_create_table_skip_secondary_engine", "0", "OFF", ForDump, "definitions are shown without a part"},
	{"show_create_table_verbosity", "0", "OFF", ForDump, "definitions are shown with more than was set"},
	{"terminology_use_previous", "0", "NONE", ForDump, "columns of SHOW have other names"},
	{"default_collation_for_utf8mb4", "utf8mb4_0900_ai_ci", "utf8mb4_0900_ai_ci", forBoth, "what CHARACTER SET utf8mb4 alone means"},
	{"restrict_fk_on_non_standard_key", "0", "OFF", ForLoad, "ON: foreign keys that the dump's server had are refused"},
}

// mariadbSettings are those of MariaDB alone.
var mariadbSettings = []setting{
	{"max_statement_time", "0", "0.000000", forBoth, "queries are ended after so long"},
	{"idle_transaction_timeout", "0", "0", forBoth, "sessions whose transaction waits are ended"},
	{"idle_readonly_transaction_timeout", "0", "0", forBoth, "the same"},
	{"idle_write_transaction_timeout", "0", "0", forBoth, "the same"},
	{"system_versioning_asof", "DEFAULT", "DEFAULT", forBoth, "every query reads the rows of some day in the past"},
	{"max_error_count", "64", "64", ForDump, "0: SHOW WARNINGS is empty, and so is what it says of views that are no more"},
	{"character_set_collations", "''", "", forBoth, "what a CHARACTER SET alone means"},
	{"old_mode", "'UTF8_IS_UTF8MB3'", "UTF8_IS_UTF8MB3", forBoth, "IGNORE_INDEX_ONLY_FOR_JOIN: hints are not heeded, by which views are kept out; what utf8 means"},
	{"sql_if_exists", "0", "OFF", ForLoad, "what cannot be altered is passed over"},
	{"alter_algorithm", "DEFAULT", "DEFAULT", ForLoad, "INSTANT, NOCOPY: keys cannot be added"},
	{"standard_compliant_cte", "0", "OFF", ForLoad, "views that are there would not be made"},
}

// Open opens a session with the settings of one use. Its waits for others' locks are bounded by
// lockTimeout; 0 means the server's own bound.
func Open(ctx context.Context, cc *mysql.Config, what use, lockTimeout time.Duration) (*Conn, error) {
	c, err := Connect(ctx, cc)
	if err != nil {
		return nil, err
	}
	if err = c.settle(ctx, what); err == nil && lockTimeout > 0 {
		err = c.Exec(ctx, fmt.Sprintf("SET lock_wait_timeout = %d", max(1, int(lockTimeout.Round(time.Second).Seconds()))))
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// settle gives a session its settings. Those that it does not have are another server's. One that
// is not to be had is an error: what comes out would not be what is in the database.
func (c *Conn) settle(ctx context.Context, what use) error {
	fixed := []string{"SET NAMES utf8mb4", "SET sql_select_limit = 18446744073709551615, sql_big_selects = 1"} // to read the rest
	if c.IsMariaDB() {
		fixed[1] += ", max_statement_time = 0"
	} else {
		fixed[1] += ", max_execution_time = 0"
	}
	if what&ForDump != 0 {
		// Values are sent in the bytes in which they are stored.
		fixed = append(fixed, "SET character_set_results = NULL", "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
	}
	for _, sql := range fixed {
		if err := c.Exec(ctx, sql); err != nil {
			return fmt.Errorf("set up the session: %s: %w", sql, err)
		}
	}
	own := mysqlSettings
	if c.IsMariaDB() {
		own = mariadbSettings
	}
	wanted := slices.DeleteFunc(slices.Concat(sessionSettings, own), func(s setting) bool { return s.use&what == 0 })
	names := make([]string, len(wanted))
	for i, s := range wanted {
		names[i] = "'" + s.name + "'"
	}
	rows, err := c.List(ctx, "SHOW SESSION VARIABLES WHERE variable_name IN ("+strings.Join(names, ", ")+")")
	if err != nil {
		return fmt.Errorf("set up the session: read its variables: %w", err)
	}
	has := make(map[string]string, len(rows))
	for _, r := range rows {
		has[strings.ToLower(r["variable_name"])] = r["value"]
	}
	if len(has) < 10 {
		return fmt.Errorf("set up the session: the server shows %d variables", len(has))
	}
	var list []string
	for _, s := range wanted {
		value, ok := has[s.name]
		if ok && value != s.shown {
			list = append(list, s.name+" = "+s.value)
		}
	}
	if len(list) == 0 {
		return nil
	}
	err = c.Exec(ctx, "SET "+strings.Join(list, ", "))
	if ErrorNumber(err) == 0 {
		return err
	}
	for _, one := range list { // as it was all or nothing
		if err := c.Exec(ctx, "SET "+one); IsError(err, CodeNotASessions) {
			continue // MariaDB before 10.6.9 has explicit_defaults_for_timestamp for the server alone
		} else if name, _, _ := strings.Cut(one, " "); IsError(err, CodePrivilegeNeeded) && slices.Contains(refusing, name) {
			continue // only few dumps have what it refuses, each with the server's words
		} else if err != nil {
			return fmt.Errorf("set up the session: SET %s: %w; the server has %q, with which what comes out would be another", one, err, has[name])
		}
	}
	return nil
}

// refusing are settings of MySQL that change nothing and only refuse, and take a right: by default
// the first two are ON.
var refusing = []string{"restrict_fk_on_non_standard_key", "innodb_strict_mode", "sql_require_primary_key"}
