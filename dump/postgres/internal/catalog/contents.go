package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A finding is something that users made in a database: a schema, a relation or another object in
// one, of which one counts for all, or something outside of schemas.
type finding struct {
	What   string // schema, relation, rows, other; rows are relations with data of their own
	Schema string // empty: outside
	Name   string // of a relation
}

// Findings are what was found in one database.
type Findings []finding

// LookInto lists what users made in the database, by the catalogues alone.
func LookInto(ctx context.Context, conn *pgx.Conn) (Findings, error) {
	members := func(class, oid string) string {
		return fmt.Sprintf(`NOT EXISTS (SELECT FROM pg_depend WHERE classid = '%s'::regclass AND objid = %s AND deptype = 'e')`, class, oid)
	}
	var others strings.Builder
	for class, namespace := range map[string]string{
		"pg_proc": "pronamespace", "pg_type": "typnamespace", "pg_operator": "oprnamespace", "pg_opclass": "opcnamespace", "pg_opfamily": "opfnamespace",
		"pg_collation": "collnamespace", "pg_conversion": "connamespace", "pg_ts_parser": "prsnamespace", "pg_ts_dict": "dictnamespace",
		"pg_ts_template": "tmplnamespace", "pg_ts_config": "cfgnamespace", "pg_statistic_ext": "stxnamespace",
	} {
		own := "" // of types: those that do not come with a relation or another type
		if class == "pg_type" {
			own = " AND typelem = 0 AND (typrelid = 0 OR (SELECT relkind FROM pg_class r WHERE r.oid = typrelid) = 'c')"
		}
		fmt.Fprintf(&others, " UNION SELECT 'other', s.nspname::text, '' FROM %s x JOIN s ON s.oid = x.%s WHERE %s%s", class, namespace, members(class, "x.oid"), own)
	}
	for _, class := range []string{
		"pg_extension", "pg_language", "pg_cast", "pg_am", "pg_transform", "pg_foreign_data_wrapper", "pg_foreign_server",
		"pg_event_trigger", "pg_publication", "pg_default_acl",
	} {
		fmt.Fprintf(&others, " UNION SELECT 'other', '', '' FROM %s x WHERE x.oid >= %d AND %s", class, server.FirstNormal, members(class, "x.oid"))
	}
	// Some of whose columns are for superusers alone.
	others.WriteString(" UNION SELECT 'other', '', '' FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())")
	rows, err := conn.Query(ctx, `
		WITH s AS (`+UserSchemas+`)
		SELECT 'schema' AS what, nspname::text AS schema, '' AS name FROM s WHERE nspname <> 'public'
		UNION
		SELECT CASE WHEN relkind IN ('r', 'S') THEN 'rows' ELSE 'relation' END, s.nspname::text, relname::text FROM pg_class c JOIN s ON s.oid = relnamespace
		WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND relpersistence <> 't' AND `+members("pg_class", "c.oid")+`
		UNION
		SELECT 'rows', '', '' WHERE EXISTS (SELECT FROM pg_largeobject_metadata) OR EXISTS (SELECT FROM pg_extension WHERE extconfig IS NOT NULL)`+others.String()+`
		ORDER BY schema, name, what`)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[finding])
	if err != nil {
		return nil, fmt.Errorf("look for objects: %w", err)
	}
	return found, nil
}

// Hold tells whether a dump of the selection holds something of what was found.
func (found Findings) Hold(sel *choice.Rules) bool {
	return slices.ContainsFunc(found, func(f finding) bool {
		return sel.Holds(f.What == "relation" || f.What == "rows", f.What == "rows", f.Schema, f.Name)
	})
}

// IsEmpty tells whether a dump of the database holds nothing.
func (c *Database) IsEmpty() bool {
	return !slices.ContainsFunc(c.objects, func(o *object) bool { return o.counts() && c.prints(o) })
}

// counts tells whether an object makes a dump one that is not empty: it is dumped, and not every
// new database has it.
func (o *object) counts() bool {
	return !o.state.hidden() && (o.define != nil && (o.kind != kindSchema || o.Name != "public") || o.kind == kindDefaultACL && len(o.grants) > 0 || o.rows != nil)
}

// TableNames names the tables that are there, in the dump or not.
func (c *Database) TableNames() []string {
	var list []string
	for _, r := range c.rels {
		schema := c.at[Address{classNamespace, r.Schema}]
		if schema != nil && !schema.system && r.extension == nil {
			list = append(list, c.schemaNames[r.Schema]+"."+r.Raw)
		}
	}
	slices.Sort(list)
	return list
}
