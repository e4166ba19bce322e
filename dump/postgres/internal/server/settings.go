package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Parameter is a setting that every session of this package makes, because an owner, a role's
// administrator or the role's own defaults may have turned it (ALTER DATABASE … SET, ALTER ROLE …
// SET) and what the session does depends on it.
type Parameter struct {
	Name, value string
	partly      bool // not every server knows it
	Loads       bool // also in the sessions of a load, and at the head of a dump, which says the rest: what it makes is made under the settings of where it goes
}

// inScript is the statement of a dump that sets the parameter, whatever server it goes into: one
// that does not know the parameter sets nothing.
func (p Parameter) inScript() string {
	if !p.partly {
		return "SET " + p.Name + " = " + Literal(p.value)
	}
	return fmt.Sprintf("SELECT pg_catalog.set_config(%s, %s, false) WHERE pg_catalog.current_setting(%[1]s, true) IS NOT NULL", Literal(p.Name), Literal(p.value))
}

// Parameters are set before anything of a database's users is looked at. What they cannot help:
// session_preload_libraries and local_preload_libraries have been loaded when a session's first
// statement comes. The former only a superuser can set for others, the latter names only what an
// administrator has put in the folder plugins.
//
// Not in the list is what only superusers can set for a database or a role
// (session_replication_role, log_statement and their like): they mean what they set. Of these,
// reading is the list below. A test holds both lists, and one of those that cannot matter, against
// what each version of the server has.
var Parameters = []Parameter{
	// Planning evaluates the CHECKs of a table, that is, calls its owner's functions.
	{Name: "constraint_exclusion", value: "off"},
	// Not all rows, or none, and no word of it.
	{Name: "row_security", value: "off"},
	// A plan of a statement that runs once, with its parameters known.
	{Name: "plan_cache_mode", value: "auto"},
	{Name: "jit", value: "off"}, // costs more than a dump's statements take
	// A dump reads on as many connections as it was told and takes nobody's workers; and rows that
	// several workers bring have no order.
	{Name: "max_parallel_workers_per_gather", value: "0"},
	// Without these the ranges in which tables are read would each scan the whole table.
	{Name: "enable_seqscan", value: "on"},
	{Name: "enable_indexscan", value: "on"},
	{Name: "enable_bitmapscan", value: "on"},
	{Name: "enable_tidscan", value: "on"},
	{Name: "enable_sort", value: "on"},
	{Name: "enable_incremental_sort", value: "on"},
	{Name: "random_page_cost", value: "4"},
	{Name: "seq_page_cost", value: "1"},
	{Name: "cpu_tuple_cost", value: "0.01"},
	{Name: "cpu_index_tuple_cost", value: "0.005"},
	{Name: "cpu_operator_cost", value: "0.0025"},
	{Name: "work_mem", value: "16MB"}, // for the sort of a piece; an owner's could be all that the server has
	{Name: "temp_tablespaces", value: ""},
	{Name: "synchronize_seqscans", value: "off"}, // physical order begins at the beginning
	// A search in a GIN index stops at about so many rows: a materialized view that is filled by
	// one would have no more.
	{Name: "gin_fuzzy_search_limit", value: "0", Loads: true},

	// How values are written and read. Each is a way of saying the same bytes otherwise, or others.
	{Name: "standard_conforming_strings", value: "on"},
	{Name: "backslash_quote", value: "safe_encoding", Loads: true},
	{Name: "escape_string_warning", value: "off"},
	{Name: "datestyle", value: "ISO, MDY"},
	{Name: "intervalstyle", value: "postgres"},
	{Name: "timezone", value: "UTC"},
	{Name: "extra_float_digits", value: "3"},
	{Name: "bytea_output", value: "hex"},
	{Name: "xmlbinary", value: "base64"},
	{Name: "xmloption", value: "content"},
	{Name: "array_nulls", value: "on", Loads: true},
	{Name: "transform_null_equals", value: "off", Loads: true},
	{Name: "quote_all_identifiers", value: "off"},
	// Amounts of the type money are written as the locale does, with as many decimals as its
	// currency has: read under another one they are other amounts. A dump says so in its head;
	// those of earlier versions were written in the database's.
	{Name: "lc_monetary", value: "C"},

	// What a role is made with besides what the statement says, and whether a collation can be made
	// whose locale the server does not know by heart.
	{Name: "createrole_self_grant", value: "", partly: true, Loads: true},
	{Name: "icu_validation_level", value: "warning", partly: true, Loads: true},

	// Whether views may read others' views. What a dump's sessions restrict is below: see
	// restrictRelations.
	{Name: "restrict_nonsystem_relation_kind", value: "", partly: true, Loads: true},

	// A transaction is what BEGIN says, and lasts as long as it must.
	{Name: "default_transaction_isolation", value: "read committed", Loads: true},
	{Name: "default_transaction_read_only", value: "off", Loads: true},
	{Name: "default_transaction_deferrable", value: "off", Loads: true},
	{Name: "statement_timeout", value: "0", Loads: true},
	{Name: "idle_in_transaction_session_timeout", value: "0", Loads: true},
	{Name: "idle_session_timeout", value: "0", partly: true, Loads: true},
	{Name: "transaction_timeout", value: "0", partly: true, Loads: true},
	{Name: "exit_on_error", value: "off", Loads: true}, // a lock that is not to be had is no reason to end

	// What the server would write into its log, or send, of statements and their values: a
	// restore's may hold passwords.
	{Name: "client_min_messages", value: "warning", Loads: true},
	{Name: "debug_print_parse", value: "off", Loads: true},
	{Name: "debug_print_rewritten", value: "off", Loads: true},
	{Name: "debug_print_plan", value: "off", Loads: true},
	{Name: "log_parameter_max_length_on_error", value: "0", Loads: true},
}

// ReadingParameters have a server pass over what it cannot read, or take it for something else,
// with a word in its log at most. They are for who saves what is left of a damaged database; a dump
// would lack rows and be taken for a whole one. A superuser's session sets them, any other can but
// tell: see WarnOfLosses. Not every minor release knows all of them.
var ReadingParameters = []Parameter{
	{Name: "zero_damaged_pages", value: "off"},
	{Name: "ignore_checksum_failure", value: "off"},
	{Name: "composite_type_mismatch", value: "error"}, // since November 2026
}

// ClearPath comes before every other statement, on every connection and for every purpose: until
// then, names that are not qualified may be found among what a database's owner made (ALTER
// DATABASE … SET search_path). After it they are pg_catalog's alone.
const ClearPath = `SELECT pg_catalog.set_config('search_path', '', false)`

// ownRole undoes ALTER DATABASE … SET role, which any owner of a database may say: the session
// would be a role of his, whose own tables it trusts, and which whatever runs in it can leave again
// for the one that connected. A role that the connecting role was given, or the connection itself
// asks for, stays.
const ownRole = `SELECT CASE WHEN current_user <> session_user
	AND EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase, pg_catalog.unnest(s.setconfig) c(value)
	            WHERE d.datname = pg_catalog.current_database() AND s.setrole = 0 AND c.value = 'role=' || current_user)
	AND NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, pg_catalog.unnest(s.setconfig) c(value)
	                WHERE r.rolname = session_user AND c.value = 'role=' || current_user)
	THEN pg_catalog.set_config('role', 'none', false) END`

// settle is the statement that sets the parameters that a server knows, for a session that reads or
// for one that loads.
func settle(reads bool) string {
	var list []string
	for _, p := range Parameters {
		if !reads && !p.Loads {
			continue
		}
		set := "pg_catalog.set_config(" + Literal(p.Name) + ", " + Literal(p.value) + ", false)"
		if p.partly {
			set = "CASE WHEN pg_catalog.current_setting(" + Literal(p.Name) + ", true) IS NOT NULL THEN " + set + " END"
		}
		list = append(list, set)
	}
	return "SELECT " + strings.Join(list, ", ") + ";\n"
}

// ForReading sets up a session of a dump, so that what it sends is independent of anybody's
// defaults. The encoding is the database's own: no byte is converted on the way. lockTimeout bounds
// its wait for a lock; 0 means no bound.
func ForReading(lockTimeout time.Duration) func(Info) string {
	return func(srv Info) string {
		return settle(true) + readWhole + restrictRelations + fmt.Sprintf("SELECT pg_catalog.set_config('client_encoding', %s, false), pg_catalog.set_config('lock_timeout', '%d', false)",
			Literal(srv.Encoding), lockTimeout.Milliseconds())
	}
}

// ToRead are the statements that make a session of a load read as those of a dump do, as long as
// they are not rolled back.
func ToRead(srv Info) string {
	return settle(true) + "SELECT pg_catalog.set_config('client_encoding', " + Literal(srv.Encoding) + ", false)"
}

// readWhole sets the ReadingParameters where the role may.
var readWhole = func() string {
	var list []string
	for _, p := range ReadingParameters {
		list = append(list, "CASE WHEN pg_catalog.current_setting("+Literal(p.Name)+", true) IS NOT NULL THEN pg_catalog.set_config("+Literal(p.Name)+", "+Literal(p.value)+", false) END")
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM pg_catalog.pg_roles WHERE rolname = current_user AND rolsuper;\n"
}()

// WarnOfLosses tells of ReadingParameters that are not as a dump needs them.
func WarnOfLosses(ctx context.Context, conn *pgx.Conn, warn func(string)) error {
	settings := make([]string, len(ReadingParameters))
	for i, p := range ReadingParameters {
		settings[i] = "pg_catalog.current_setting(" + Literal(p.Name) + ", true)" // null: the server does not know it
	}
	var values []*string
	if err := conn.QueryRow(ctx, "SELECT ARRAY["+strings.Join(settings, ", ")+"]").Scan(&values); err != nil {
		return err
	}
	if len(values) != len(ReadingParameters) {
		return fmt.Errorf("the server answers for %d of %d parameters", len(values), len(ReadingParameters))
	}
	for i, p := range ReadingParameters {
		if value := values[i]; value != nil && *value != p.value {
			warn(fmt.Sprintf("%s is %s on the server: rows that it cannot read as they were written are missing in the dump, or are others, without another word; set it to %s, or dump as a superuser", p.Name, *value, p.value))
		}
	}
	return nil
}

// ForLoading sets up a session of a load. lockTimeout bounds its wait for what is dropped, 0 means
// no bound; the dump says how long its own statements wait.
func ForLoading(lockTimeout time.Duration) func(Info) string {
	return func(srv Info) string {
		quiet := ""
		if srv.Version >= 170000 {
			quiet = silenceEvents
		}
		return settle(false) + quiet + fmt.Sprintf("SELECT pg_catalog.set_config('lock_timeout', '%d', false)", lockTimeout.Milliseconds())
	}
}

// silenceEvents keeps event triggers silent, where the role may (17): a target may have some of its
// own, by an extension or from its template, which are about what its users do, and refuse or log
// or change what a load makes. Before 17 nothing does that and leaves other triggers as they are.
const silenceEvents = `SELECT pg_catalog.set_config('event_triggers', 'off', false) WHERE pg_catalog.has_parameter_privilege('event_triggers', 'SET');
`

// AsOwner is said before a dump's refreshes, and by a load that has a session which did not hear
// it: it lets a view's owner read what he may, as in the original. A refresh reads as him, and
// where row security is off, which keeps a dump from losing rows without a word, he may not read a
// table whose policies bind him at all.
const AsOwner = "SET row_security = on"

// Preamble are the statements that make the loading session read the dump as it was written, psql's
// too, which has what its role, its database or the server give it: this program's sessions have
// set the parameters before.
func Preamble(srv Info) []string {
	var list []string
	for _, p := range Parameters {
		if p.Loads {
			list = append(list, p.inScript())
		}
	}
	return append(list,
		"SET lock_timeout = 0",
		"SET client_encoding = "+Literal(srv.Encoding),
		"SET standard_conforming_strings = on",
		"SELECT pg_catalog.set_config('search_path', '', false)",
		// Function bodies may use what comes later in the dump.
		"SET check_function_bodies = false",
		"SET xmloption = content",
		"SET lc_monetary = 'C'",
		"SET row_security = off",
		"SET default_tablespace = ''",
		"SET default_table_access_method = heap",
	)
}

// restrictRelations keeps a view or foreign table that was put in a table's place from running
// anything as this role (CVE-2024-7348). Minor releases before August 2024 lack the setting.
const restrictRelations = `SELECT CASE WHEN pg_catalog.current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL
	THEN pg_catalog.set_config('restrict_nonsystem_relation_kind', 'view, foreign-table', false) END;
`
