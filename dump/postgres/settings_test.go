package postgres

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// settledElsewhere are the parameters that every session of this package sets, or whose being set
// it undoes, in other ways than by its lists.
var settledElsewhere = strings.Fields(`search_path client_encoding lock_timeout application_name role session_authorization
	transaction_isolation transaction_read_only transaction_deferrable
	check_function_bodies default_tablespace default_table_access_method`) // these three in the dump's own head

// harmless are the parameters that can be what they like, by the reason.
var harmless = map[string]string{
	"which plan is made, and not what comes of it": `enable_async_append enable_distinct_reordering enable_gathermerge enable_group_by_reordering enable_hashagg enable_hashjoin
		enable_indexonlyscan enable_material enable_memoize enable_mergejoin enable_nestloop enable_parallel_append enable_parallel_hash enable_partition_pruning
		enable_partitionwise_aggregate enable_partitionwise_join enable_presorted_aggregate enable_self_join_elimination cursor_tuple_fraction
		effective_cache_size from_collapse_limit join_collapse_limit geqo geqo_effort geqo_generations geqo_pool_size geqo_seed geqo_selection_bias geqo_threshold
		recursive_worktable_factor parallel_leader_participation parallel_setup_cost parallel_tuple_cost min_parallel_index_scan_size min_parallel_table_scan_size
		jit_above_cost jit_inline_above_cost jit_optimize_above_cost jit_expressions jit_tuple_deforming jit_debugging_support jit_dump_bitcode jit_profiling_support
		default_statistics_target optimize_bounded_sort seed enable_eager_aggregate`,
	"parallel workers, of which a dump has none (max_parallel_workers_per_gather), and a load as many as the server gives": `max_parallel_workers max_parallel_maintenance_workers
		force_parallel_mode debug_parallel_query`,
	"how much memory, disk or time, of which too little is an error and no loss": `hash_mem_multiplier maintenance_work_mem logical_decoding_work_mem temp_buffers temp_file_limit
		max_stack_depth backend_flush_after effective_io_concurrency maintenance_io_concurrency io_combine_limit gin_pending_list_limit deadlock_timeout file_copy_method
		vacuum_buffer_usage_limit enable_temp_memory_catalog_lookup`,
	"when and how what is written reaches the disk": `synchronous_commit commit_delay commit_siblings wal_compression wal_init_zero wal_recycle wal_skip_threshold
		wal_consistency_checking default_toast_compression`,
	"vacuum": `vacuum_cleanup_index_scale_factor vacuum_cost_delay vacuum_cost_limit vacuum_cost_page_dirty vacuum_cost_page_hit vacuum_cost_page_miss vacuum_failsafe_age
		vacuum_freeze_min_age vacuum_freeze_table_age vacuum_max_eager_freeze_failure_rate vacuum_multixact_failsafe_age vacuum_multixact_freeze_min_age
		vacuum_multixact_freeze_table_age vacuum_truncate track_cost_delay_timing`,
	"what the server counts and shows of itself": `compute_query_id track_activities track_counts track_functions track_io_timing track_wal_io_timing update_process_title
		stats_fetch_consistency`,
	"what is logged, which a superuser alone can set": `log_connections log_disconnections log_duration log_error_verbosity log_executor_stats log_lock_failures log_lock_waits
		log_min_duration_sample log_min_duration_statement log_min_error_statement log_min_messages log_parameter_max_length log_parser_stats log_planner_stats
		log_replication_commands log_statement log_statement_sample_rate log_statement_stats log_temp_files log_transaction_sample_rate backtrace_functions
		trace_notify trace_sort debug_pretty_print log_btree_build_stats trace_locks trace_userlocks trace_lwlocks debug_deadlocks trace_lock_oidmin trace_lock_table
		debug_print_raw_parse`,
	"words for people; the program reads codes":   `lc_messages md5_password_warnings operator_precedence_warning`,
	"to_char and the like, which no value passes": `lc_numeric lc_time timezone_abbreviations default_text_search_config`,
	"the connection": `client_connection_check_interval tcp_keepalives_count tcp_keepalives_idle tcp_keepalives_interval tcp_user_timeout wal_sender_timeout ssl_renegotiation_limit
		post_auth_delay`,
	"replication, and copies of the code for tests": `debug_logical_replication_streaming debug_discard_caches debug_invalidate_system_caches_always logical_replication_mode output_plugin_libraries`,
	"loaded before a session's first statement":     `local_preload_libraries session_preload_libraries dynamic_library_path extension_control_path extension_destdir`,
	"what a superuser alone can set, who means it": `session_replication_role event_triggers allow_system_table_mods allow_in_place_tablespaces ignore_system_indexes lo_compat_privileges
		debug_copy_parse_plan_trees debug_write_read_parse_plan_trees debug_raw_expression_coverage_test`,
	"passwords that a dump has are hashed already": `password_encryption scram_iterations`,
}

// Every parameter that a role, a database's owner or a superuser can set is set by this package's
// sessions, or is known to be harmless. One that a new version brings is neither, until somebody
// has read what it does.
func TestEveryParameterIsKnown(t *testing.T) {
	pg := testServer(t)
	known := slices.Clone(settledElsewhere)
	for _, list := range [][]server.Parameter{server.Parameters, server.ReadingParameters} {
		for _, p := range list {
			known = append(known, p.Name)
		}
	}
	for _, names := range harmless {
		for _, name := range strings.Fields(names) {
			if slices.Contains(known, name) {
				t.Errorf("%s is on two lists", name)
			}
		}
	}
	for _, names := range harmless {
		known = append(known, strings.Fields(names)...)
	}
	for _, name := range strings.Fields(pg.Psql(t, "postgres", `SELECT name FROM pg_settings
		WHERE context IN ('user', 'superuser', 'backend', 'superuser-backend') AND name !~ '\.' ORDER BY 1`)) {
		if !slices.Contains(known, strings.ToLower(name)) {
			t.Errorf("%s: nobody knows whether it can change a dump or a restore", name)
		}
	}
}

// worst are values of the parameters under which a session that takes them as they come would do
// the most harm. A timeout of a millisecond ends a session before it can say anything, which is an
// error and no loss.
var worst = map[string]string{
	"constraint_exclusion": "on", "row_security": "on", "plan_cache_mode": "force_generic_plan", "jit": "on", "max_parallel_workers_per_gather": "4",
	"enable_seqscan": "off", "enable_indexscan": "off", "enable_bitmapscan": "off", "enable_tidscan": "off", "enable_sort": "off", "enable_incremental_sort": "off",
	"random_page_cost": "0", "seq_page_cost": "100000", "cpu_tuple_cost": "1000", "cpu_index_tuple_cost": "1000", "cpu_operator_cost": "1000", "work_mem": "64",
	"temp_tablespaces": "pg_default", "synchronize_seqscans": "on", "gin_fuzzy_search_limit": "1",
	"standard_conforming_strings": "off", "backslash_quote": "off", "escape_string_warning": "on", "datestyle": "German, DMY", "intervalstyle": "iso_8601",
	"timezone": "Pacific/Kiritimati", "extra_float_digits": "-15", "bytea_output": "escape", "xmlbinary": "hex", "xmloption": "document", "array_nulls": "off",
	"transform_null_equals": "on", "quote_all_identifiers": "on", "lc_monetary": "C.UTF-8", "createrole_self_grant": "set, inherit", "icu_validation_level": "error",
	"default_transaction_isolation": "serializable", "default_transaction_read_only": "on", "default_transaction_deferrable": "on", "statement_timeout": "1min",
	"idle_in_transaction_session_timeout": "1min", "idle_session_timeout": "1min", "transaction_timeout": "1min", "exit_on_error": "on", "client_min_messages": "debug5",
	"restrict_nonsystem_relation_kind": "view",
	"debug_print_parse":                "on", "debug_print_rewritten": "on", "debug_print_plan": "on", "log_parameter_max_length_on_error": "-1",
	"zero_damaged_pages": "on", "ignore_checksum_failure": "on", "composite_type_mismatch": "disabled",
}

// What a server is told to do by itself, for a role or for a database changes no byte of a dump and
// nothing that a restore makes.
func TestWorstParameters(t *testing.T) {
	skipShort(t)
	pg := servers.Postgres(t)
	pg.Psql(t, "postgres", "CREATE DATABASE shop")
	pg.Psql(t, "shop", `CREATE TABLE vals (id integer PRIMARY KEY, at timestamptz, d date, i interval, f float8, r real, b bytea, a text[], m money, x xml, t text DEFAULT E'a\\b''c');
		INSERT INTO vals SELECT i, '2024-02-03 04:05:06+00'::timestamptz + i * interval '1 hour', '2024-02-03', interval '1 mon -2 days 03:04:05', 1.0 / i, (1.0 / i)::real,
			decode(md5(i::text), 'hex'), ARRAY[NULL, 'NULL', i::text], i * 1.01::numeric::money, '<a/>', E'a\\b''c' FROM generate_series(1, 30000) i;
		CREATE TABLE words (id integer, w text[]); INSERT INTO words SELECT i, ARRAY['x'] FROM generate_series(1, 3000) i; CREATE INDEX ON words USING gin (w);
		CREATE VIEW few AS SELECT id FROM words WHERE id < 10; CREATE MATERIALIZED VIEW of_view AS SELECT id FROM few;
		CREATE MATERIALIZED VIEW found AS SELECT id FROM words WHERE w @> ARRAY['x'];
		CREATE VIEW "where" AS SELECT id AS "select", t, a IS NULL AS n, '1 mon'::interval AS i, 'a\b'::text AS b, '2024-02-03'::date AS d FROM vals WHERE t <> E'\\';
		CREATE TABLE parent (k integer CHECK (k > 0)) PARTITION BY RANGE (k); CREATE TABLE child PARTITION OF parent FOR VALUES FROM (1) TO (1000); INSERT INTO parent VALUES (1);
		CREATE FUNCTION f(x text DEFAULT E'\\') RETURNS text LANGUAGE sql SET work_mem = '5MB' AS $$ SELECT 'it''s \ ' || x $$; ANALYZE`)
	want := dumpWith(t, Config{Conn: pg.DSN("shop")})
	exist := strings.Fields(pg.Psql(t, "postgres", "SELECT lower(name) FROM pg_settings"))
	var names []string
	for _, list := range [][]server.Parameter{server.Parameters, server.ReadingParameters} {
		for _, p := range list {
			if worst[p.Name] == "" {
				t.Errorf("%s has no worst value", p.Name)
			} else if slices.Contains(exist, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	plain := map[string]string{}
	conn := settledConn(t, pg, "shop")
	for _, name := range names {
		var value string
		if err := conn.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&value); err != nil {
			t.Fatal(err)
		}
		plain[name] = value
	}
	sets := func(format string) string { // which psql sends as one, in a session that is not what they make of others
		list := make([]string, len(names))
		for i, name := range names {
			list[i] = fmt.Sprintf(format, name, server.Literal(worst[name])) + ";\n"
		}
		return strings.Join(list, "")
	}
	for _, c := range []struct{ by, set, reset string }{
		{"database", sets("ALTER DATABASE shop SET %s = %s"), "ALTER DATABASE shop RESET ALL"},
		{"role", sets("ALTER ROLE postgres SET %s = %s"), "ALTER ROLE postgres RESET ALL"}, // and restored by psql, which has nothing but what the dump says
		{"database, of a search alone", "ALTER DATABASE shop SET gin_fuzzy_search_limit = 1;\nALTER DATABASE shop SET enable_seqscan = off;\n", "ALTER DATABASE shop RESET ALL"},
		{"server", sets("ALTER SYSTEM SET %s = %s") + "SELECT pg_reload_conf();", "ALTER SYSTEM RESET ALL; SELECT pg_reload_conf()"},
	} {
		t.Run("by "+c.by, func(t *testing.T) {
			admin := settledConn(t, pg, "postgres")
			for _, s := range strings.SplitAfter(c.set, ";\n") {
				if err := server.Exec(t.Context(), admin.PgConn(), s); err != nil {
					t.Fatalf("%s: %v", s, err)
				}
			}
			defer func() {
				for _, s := range strings.Split(c.reset, "; ") {
					if err := server.Exec(t.Context(), admin.PgConn(), s); err != nil {
						t.Errorf("%s: %v", s, err)
					}
				}
			}()
			conn := settledConn(t, pg, "shop")
			for _, name := range names {
				var got string
				if err := conn.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != plain[name] {
					t.Errorf("%s is %s, want %s (%v)", name, got, plain[name], err)
				}
			}
			loading, _, err := server.Connect(t.Context(), mustConfig(t, pg.DSN("shop")), "shop", server.ForLoading(0)) // also while it drops what is there, before the dump says anything
			if err != nil {
				t.Fatal(err)
			}
			execute(t, loading, setByHead(plain))
			server.HangUp(loading)
			if got := dumpWith(t, Config{Conn: pg.DSN("shop")}); !bytes.Equal(want, got) {
				t.Errorf("another dump (-plain +this):\n%.3000s", cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")))
			}
			if c.by == "role" {
				execute(t, settledConn(t, pg, "shop"), "DROP TABLE public.vals, public.words, public.parent CASCADE; DROP FUNCTION public.f")
				psqlLoad(t, pg, "shop", append(bytes.Clone(want), setByHead(plain)...))
			} else if err := restore(t, pg, LoadConfig{Database: "shop", Clean: true}, want); err != nil {
				t.Fatal(err)
			}
			if got := dumpWith(t, Config{Conn: pg.DSN("shop")}); !bytes.Equal(want, got) {
				t.Errorf("another database restored (-plain +this):\n%.3000s", cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")))
			}
			results, err := settledConn(t, pg, "shop").PgConn().Exec(t.Context(), "SELECT count(*) FROM public.found").ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			if got := string(results[0].Rows[0][0]); got != "3000" {
				t.Errorf("the materialized view was filled with %s rows of 3000", got)
			}
		})
	}
}

// setByHead is a statement that fails in a session in which a dump's head has not set a parameter
// of a load to its value.
func setByHead(values map[string]string) string {
	var list []string
	for _, p := range server.Parameters {
		if value, ok := values[p.Name]; ok && p.Loads && p.Name != "restrict_nonsystem_relation_kind" { // which reading needs otherwise
			list = append(list, fmt.Sprintf("(%s, %s)", server.Literal(p.Name), server.Literal(value)))
		}
	}
	return `DO $$ DECLARE others text; BEGIN
		SELECT pg_catalog.string_agg(name || ' is ' || pg_catalog.current_setting(name), ', ') INTO others FROM (VALUES ` + strings.Join(list, ", ") + `) v(name, value) WHERE pg_catalog.current_setting(name) <> value;
		IF others IS NOT NULL THEN RAISE EXCEPTION '%', others; END IF; END $$;
`
}

// settledConn opens a session that is what this package's are, whatever the server was told.
func settledConn(t *testing.T, pg *servers.PG, db string) *pgx.Conn {
	t.Helper()
	conn, _, err := server.Connect(t.Context(), mustConfig(t, pg.DSN(db)), db, server.ForReading(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// A server that passes over damaged pages is told of by a role that cannot have it otherwise.
func TestDamagedPagesAreNotPassedOver(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	newRole(t, pg, db, "no_super")
	pg.Psql(t, db, "CREATE TABLE t (a integer); GRANT SELECT ON t TO no_super; ALTER DATABASE "+db+" SET zero_damaged_pages = on")
	for role, want := range map[string]int{"no_super:x": 1, "postgres": 0} {
		var warnings []string
		src := newSource(t, Config{Conn: strings.Replace(pg.DSN(db), "postgres@", role+"@", 1), Warn: func(s string) { warnings = append(warnings, s) }})
		if err := src.Dump(t.Context(), &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		if len(warnings) != want || want > 0 && !strings.Contains(warnings[0], "zero_damaged_pages") {
			t.Errorf("%s is warned of %q", role, warnings)
		}
	}
}
