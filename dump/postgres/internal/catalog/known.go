package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A server's catalogues are all that it can hold, so they are listed here with what a dump does
// with each. What is not on the list nobody has looked at: a dump may lack it, and says so. The
// reference is pg_dump, or pg_dumpall for what belongs to no database.

// newest is the newest server version that this package has been held against.
const newest = 18

// What a dump does with the rows of a catalogue.
const (
	dumpedAlone  = "an object of its own"
	dumpedWithin = "a part of another object's statements"
	dumpedServer = "in a dump of a whole server"
	derived      = "the server makes it of what is dumped"
	leftAsPgDump = "left out, as pg_dump leaves it out"
)

var knownCatalogues = map[string]string{
	"pg_am": dumpedAlone, "pg_cast": dumpedAlone, "pg_class": dumpedAlone, "pg_collation": dumpedAlone, "pg_constraint": dumpedAlone, "pg_conversion": dumpedAlone,
	"pg_default_acl": dumpedAlone, "pg_event_trigger": dumpedAlone, "pg_extension": dumpedAlone, "pg_foreign_data_wrapper": dumpedAlone, "pg_foreign_server": dumpedAlone,
	"pg_language": dumpedAlone, "pg_largeobject_metadata": dumpedAlone, "pg_namespace": dumpedAlone, "pg_opclass": dumpedAlone, "pg_operator": dumpedAlone,
	"pg_opfamily": dumpedAlone, "pg_policy": dumpedAlone, "pg_proc": dumpedAlone, "pg_publication": dumpedAlone, "pg_rewrite": dumpedAlone, "pg_statistic_ext": dumpedAlone,
	"pg_subscription": dumpedAlone, "pg_transform": dumpedAlone, "pg_trigger": dumpedAlone, "pg_ts_config": dumpedAlone, "pg_ts_dict": dumpedAlone,
	"pg_ts_parser": dumpedAlone, "pg_ts_template": dumpedAlone, "pg_type": dumpedAlone, "pg_user_mapping": dumpedAlone, "pg_index": dumpedAlone,

	"pg_aggregate": dumpedWithin, "pg_amop": dumpedWithin, "pg_amproc": dumpedWithin, "pg_attrdef": dumpedWithin, "pg_attribute": dumpedWithin, "pg_description": dumpedWithin,
	"pg_enum": dumpedWithin, "pg_foreign_table": dumpedWithin, "pg_inherits": dumpedWithin, "pg_largeobject": dumpedWithin, "pg_partitioned_table": dumpedWithin,
	"pg_publication_namespace": dumpedWithin, "pg_publication_rel": dumpedWithin, "pg_range": dumpedWithin, "pg_seclabel": dumpedWithin, "pg_sequence": dumpedWithin,
	"pg_ts_config_map": dumpedWithin,

	"pg_auth_members": dumpedServer, "pg_authid": dumpedServer, "pg_database": dumpedServer, "pg_db_role_setting": dumpedServer, "pg_parameter_acl": dumpedServer,
	"pg_shdescription": dumpedServer, "pg_shseclabel": dumpedServer, "pg_tablespace": dumpedServer,

	"pg_depend": derived, "pg_shdepend": derived,
	"pg_init_privs": derived,                                   // by initdb and by extensions
	"pg_statistic":  derived, "pg_statistic_ext_data": derived, // by ANALYZE

	// How far replication has come is of the server that it goes to, and false after a restore.
	"pg_replication_origin": leftAsPgDump, "pg_subscription_rel": leftAsPgDump,
}

// A letters is a column of a catalogue that says by a letter which kind of thing a row is, and the
// letters that this package knows.
type letters struct {
	catalogue, column, known string
	since                    int // the version that the column came with, as in server.Info; 0: all have it
}

// Those of one catalogue stand together.
var knownLetters = []letters{
	{"pg_class", "relkind", "rpfvmSciIt", 0},
	{"pg_class", "relpersistence", "put", 0},
	{"pg_class", "relreplident", "dnfi", 0},
	{"pg_type", "typtype", "bcdeprm", 0},
	{"pg_proc", "prokind", "fpaw", 0},
	{"pg_constraint", "contype", "cfpuxtn", 0},
	{"pg_am", "amtype", "it", 0},
	{"pg_partitioned_table", "partstrat", "lrh", 0},
	{"pg_collation", "collprovider", "dcib", 0},
	{"pg_aggregate", "aggkind", "noh", 0},
	{"pg_cast", "castmethod", "fbi", 0},
	{"pg_cast", "castcontext", "eai", 0},
	{"pg_attribute", "attidentity", "ad", 0},
	{"pg_attribute", "attgenerated", "sv", 0},
	{"pg_attribute", "attstorage", "pexm", 0},
	{"pg_default_acl", "defaclobjtype", "rSfTnL", 0},
	{"pg_policy", "polcmd", "rawd*", 0},
	{"pg_trigger", "tgenabled", "ODRA", 0},
	{"pg_rewrite", "ev_enabled", "ODRA", 0},
	{"pg_event_trigger", "evtenabled", "ODRA", 0},
}

// unknownLetters is the query that finds, on a server of a version, the letters that are not known.
// It reads each catalogue once: some have rows for every column of every table. What came with a
// later version is not asked for.
func unknownLetters(version int) string {
	var parts []string
	there := slices.DeleteFunc(slices.Clone(knownLetters), func(l letters) bool { return version < l.since })
	for rest := there; len(rest) > 0; {
		catalogue := rest[0].catalogue
		var columns, values []string
		for ; len(rest) > 0 && rest[0].catalogue == catalogue; rest = rest[1:] {
			l := rest[0]
			columns = append(columns, l.column)
			values = append(values, fmt.Sprintf("('%s.%s ', x.%[2]s::text, '%[3]s')", catalogue, l.column, l.known))
		}
		parts = append(parts, fmt.Sprintf("SELECT l.place || l.letter AS what FROM (SELECT DISTINCT %s FROM %s) x, LATERAL (VALUES %s) l(place, letter, known) WHERE l.letter <> '' AND position(l.letter IN l.known) = 0",
			strings.Join(columns, ", "), catalogue, strings.Join(values, ", ")))
	}
	return strings.Join(parts, " UNION ALL ") + " ORDER BY 1"
}

// Unknown lists what the server has that this package knows nothing of.
func (c *Database) Unknown(ctx context.Context) ([]string, error) {
	var list []string
	if c.srv.Major() > newest {
		list = append(list, fmt.Sprintf("the server is PostgreSQL %d; this version of the program knows those up to %d, and a dump may lack what is new", c.srv.Major(), newest))
	}
	type row struct{ What string }
	rows, err := server.Query[row](ctx, c.conn, `SELECT relname::text AS what FROM pg_class
		WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND oid < $1 AND relname <> ALL ($2) ORDER BY 1`,
		server.FirstNormal, slices.Sorted(maps.Keys(knownCatalogues)))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		list = append(list, fmt.Sprintf("the server has the catalogue %q, which is not known here: what is in it is not in the dump", r.What))
	}
	rows, err = server.Query[row](ctx, c.conn, unknownLetters(c.srv.Version))
	for _, r := range rows {
		list = append(list, fmt.Sprintf("the database has things of a kind that is not known here (%+q): they may not be in the dump", r.What))
	}
	return append(list, c.amongTheSystem()...), err
}

// amongTheSystem names what users have made in the server's own schemas, which no dump holds, and
// pg_dump's neither.
func (c *Database) amongTheSystem() []string {
	var list []string
	for _, o := range c.objects {
		if o.OID < server.FirstNormal || o.extension != nil || o.class == 0 {
			continue
		}
		for _, d := range o.deps {
			if d.to.kind == kindSchema && (d.to.Name == "pg_catalog" || d.to.Name == "information_schema") {
				list = append(list, fmt.Sprintf("%s is left out: it is in a schema of the server's own; move it to another", o.describe()))
			}
		}
	}
	slices.Sort(list)
	return list
}
