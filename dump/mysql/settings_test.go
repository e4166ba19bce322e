package mysql

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// worst are the variables of a server, each as it does most harm to whoever takes its defaults for
// granted.
var worst = []struct{ name, value string }{
	{"autocommit", "0"},
	{"sql_select_limit", "1"},
	{"sql_select_limit", "0"},
	{"max_join_size", "1"},
	{"sql_mode", "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,PIPES_AS_CONCAT,IGNORE_SPACE,STRICT_ALL_TABLES,NO_ZERO_DATE,ONLY_FULL_GROUP_BY'"},
	{"completion_type", "2"},
	{"completion_type", "1"},
	{"transaction_read_only", "1"},
	{"tx_read_only", "1"},
	{"transaction_isolation", "'READ-UNCOMMITTED'"},
	{"tx_isolation", "'SERIALIZABLE'"},
	{"time_zone", "'-11:30'"},
	{"sql_auto_is_null", "1"},
	{"sql_buffer_result", "1"},
	{"sql_quote_show_create", "0"},
	{"max_sort_length", "64"},
	{"max_length_for_sort_data", "8"},
	{"net_write_timeout", "1"},
	{"net_read_timeout", "1"},
	{"wait_timeout", "1"},
	{"lock_wait_timeout", "1"},
	{"group_concat_max_len", "4"},
	{"div_precision_increment", "0"},
	{"lc_time_names", "'ja_JP'"},
	{"lc_messages", "'ja_JP'"},
	{"innodb_strict_mode", "1"},
	{"sql_safe_updates", "1"},
	{"max_error_count", "0"},
	{"sql_notes", "0"},
	{"character_set_filesystem", "'latin1'"},
	{"character_set_client", "'latin1'"},
	{"character_set_results", "'latin1'"},
	{"character_set_server", "'latin1'"},
	{"collation_connection", "'utf8mb4_bin'"},
	{"collation_server", "'latin1_bin'"},
	{"default_week_format", "3"},
	{"default_storage_engine", "'MyISAM'"},
	{"foreign_key_checks", "1"},
	{"unique_checks", "1"},
	{"auto_increment_increment", "7"},
	{"auto_increment_offset", "3"},
	{"low_priority_updates", "1"},
	{"explicit_defaults_for_timestamp", "0"},
	{"max_sp_recursion_depth", "0"},
	{"optimizer_search_depth", "0"},
	{"eq_range_index_dive_limit", "1"},
	{"updatable_views_with_limit", "0"},
	// MySQL's
	{"max_execution_time", "1"},
	{"information_schema_stats_expiry", "86400"},
	{"print_identified_with_as_hex", "0"},
	{"show_gipk_in_create_table_and_information_schema", "0"},
	{"sql_generate_invisible_primary_key", "1"},
	{"sql_require_primary_key", "1"},
	{"terminology_use_previous", "1"},
	{"default_collation_for_utf8mb4", "utf8mb4_general_ci"},
	{"restrict_fk_on_non_standard_key", "1"},
	{"show_create_table_verbosity", "1"},
	{"windowing_use_high_precision", "0"},
	{"cte_max_recursion_depth", "1"},
	{"explain_format", "JSON"},
	{"show_old_temporals", "1"},
	// MariaDB's
	{"max_statement_time", "0.001"},
	{"idle_transaction_timeout", "1"},
	{"idle_readonly_transaction_timeout", "1"},
	{"idle_write_transaction_timeout", "1"},
	{"system_versioning_asof", "'2001-01-01 00:00:00'"},
	{"system_versioning_alter_history", "KEEP"},
	{"check_constraint_checks", "1"},
	{"character_set_collations", "'utf8mb4=utf8mb4_bin,latin1=latin1_bin'"},
	{"old_mode", "'IGNORE_INDEX_ONLY_FOR_JOIN'"},
	{"old_mode", "'ZERO_DATE_TIME_CAST,NO_PROGRESS_INFO,COMPAT_5_1_CHECKSUM'"},
	{"sql_if_exists", "1"},
	{"alter_algorithm", "INSTANT"},
	{"old_alter_table", "INSTANT"},
	{"standard_compliant_cte", "1"},
	{"in_predicate_conversion_threshold", "1"},
	{"max_recursive_iterations", "1"},
	{"note_verbosity", "''"},
	{"date_format", "'%d.%m.%Y'"},
}

// refusing are settings that a load makes where it may, as they only refuse.
var refusing = []string{"restrict_fk_on_non_standard_key", "innodb_strict_mode", "sql_require_primary_key"}

// said are the settings, besides refusing, that a dump makes where it needs them.
var said = []string{"completion_type", "transaction_read_only", "tx_read_only", "explicit_defaults_for_timestamp", "sql_generate_invisible_primary_key", "check_constraint_checks", "foreign_key_checks"}

// refusable makes tables that a server refuses by its settings, or makes others of.
func refusable(f server.Family) string {
	sql := "SET innodb_strict_mode = 0; CREATE TABLE too_wide (id INT PRIMARY KEY"
	for i := range 40 {
		sql += fmt.Sprintf(", c%d CHAR(250) NOT NULL", i)
	}
	sql += `) CHARSET = latin1 ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8; CREATE TABLE no_key (a INT);
		SET explicit_defaults_for_timestamp = 1; CREATE TABLE stamped (id INT PRIMARY KEY, a TIMESTAMP NOT NULL, b TIMESTAMP NOT NULL);`
	if f == server.MySQL {
		sql += "SET restrict_fk_on_non_standard_key = 0;"
	}
	return sql + "CREATE TABLE z_parent (id INT PRIMARY KEY, a INT, KEY (a)); CREATE TABLE a_child (id INT PRIMARY KEY, a INT, FOREIGN KEY (a) REFERENCES z_parent (a))"
}

// What a server's settings are changes nothing: neither in a dump, nor in what a restore makes of
// it.
func TestWorstSettings(t *testing.T) {
	my := newTestMySQL(servers.MariaDB(t))
	own := strings.ToLower(string(my.family))
	for name, script := range map[string]string{"one": "kinds", "two": "types", "three": own} {
		my.Query(t, "", "CREATE DATABASE "+name)
		my.client(t, name, readFile(t, "testdata/database/"+script+".sql"))
	}
	my.Query(t, "one", refusable(my.family))
	enough, several := my.rights()
	account := my.user(t, append(enough, several...)...)
	several = []string{"one", "two", "three"}
	quiet := func(string) {}
	want := my.dump(t, Config{Databases: several, Warn: quiet})
	restore := func() {
		t.Helper()
		if err := my.load(t, LoadConfig{Clean: true}, want); err != nil {
			t.Errorf("restore: %v", err)
			return
		}
		if again := my.dump(t, Config{Databases: several, Warn: quiet}); !bytes.Equal(want, again) {
			t.Errorf("what was restored is another database:\n%.3000s", cmp.Diff(lines(string(want)), lines(string(again))))
		}
	}
	restore()

	admin, err := my.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.Exec(t.Context(), "SET wait_timeout = 1000, completion_type = 0, autocommit = 1"); err != nil {
		t.Fatal(err)
	}
	set := func(name, value string) bool {
		err := admin.Exec(t.Context(), "SET GLOBAL "+name+" = "+value)
		if err != nil && !server.IsError(err, 1193, server.CodeNotASessions, 1228, 1231, 1273) { // not there, or not with that value
			t.Fatalf("%s = %s: %v", name, value, err)
		}
		return err == nil
	}
	if !set("init_connect", "'SET sql_select_limit = 1, autocommit = 0'") {
		t.Error("init_connect cannot be set")
	}
	n := 0
	for _, v := range worst {
		if !set(v.name, v.value) {
			continue
		}
		n++
		if got := my.dump(t, Config{Server: account, Databases: several, Warn: quiet}); !bytes.Equal(want, got) {
			t.Errorf("%s = %s: another dump (-plain +this):\n%.2000s", v.name, v.value, cmp.Diff(lines(string(want)), lines(string(got))))
		}
		if !set(v.name, "DEFAULT") {
			t.Errorf("%s has no default", v.name)
		}
	}
	if n < 45 {
		t.Errorf("of %d settings the server has %d", len(worst), n)
	}
	// The servers' own client, with what a dump says itself.
	for _, v := range worst {
		if slices.Contains(refusing, v.name) || slices.Contains(said, v.name) {
			set(v.name, v.value)
		}
	}
	for _, db := range several {
		if err := admin.Exec(t.Context(), "DROP DATABASE "+db); err != nil {
			t.Fatal(err)
		}
	}
	my.client(t, "", want)
	for _, v := range worst {
		set(v.name, "DEFAULT")
	}
	if again := my.dump(t, Config{Databases: several, Warn: quiet}); !bytes.Equal(want, again) {
		t.Errorf("what the client restored is another database:\n%.3000s", cmp.Diff(lines(string(want)), lines(string(again))))
	}

	for _, v := range worst {
		set(v.name, v.value)
	}
	defer func() {
		for _, v := range worst {
			set(v.name, "DEFAULT")
		}
	}()
	restore()
}

// Whoever may do everything in a database, and nothing else, can restore a dump into it that needs
// no more.
func TestRestoreByItsOwner(t *testing.T) {
	my := testServer(t)
	from, natively, byClient := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	my.Query(t, from, `CREATE TABLE parent (id INT PRIMARY KEY, a INT, b INT, UNIQUE KEY by_both (a, b), t TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
		CREATE TABLE child (id INT PRIMARY KEY, a INT, b INT, FOREIGN KEY (a, b) REFERENCES parent (a, b)); INSERT INTO parent VALUES (1, 2, 3, '2020-01-01'); INSERT INTO child VALUES (1, 2, 3)`)
	owner := my.user(t, "ALL ON "+natively+".*", "ALL ON "+byClient+".*")
	stream := my.dump(t, Config{Databases: []string{from}})
	if err := my.load(t, LoadConfig{Server: owner, Database: natively}, stream); err != nil {
		t.Error(err)
	}
	my.run(t, stream, my.Command(my.Client, "--host="+owner.Host, fmt.Sprintf("--port=%d", owner.Port), "--protocol=TCP", "--user="+owner.User, "--password="+owner.Password, "--database="+byClient))
	for how, db := range map[string]string{"natively": natively, "by the client": byClient} {
		if again := my.dump(t, Config{Databases: []string{db}}); !bytes.Equal(stream, again) {
			t.Errorf("%s: another database: %s", how, cmp.Diff(lines(string(stream)), lines(string(again))))
		}
	}
}
