package postgres

import (
	"context"
	"strings"
)

// readFunctions reads functions, window functions and procedures. The server
// writes their definitions.
func readFunctions(ctx context.Context, c *catalog) error {
	type row struct {
		header
		Kind       string
		RangeType  uint32 // whose constructor it is; it comes with that type
		Definition *string
		ACL        []string `db:"acl"`
		Def        []string
	}
	rows, err := query[row](ctx, c, `
		SELECT p.oid, p.pronamespace AS schema, format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS name, p.proowner AS owner,
		       p.prokind::text AS kind,
		       coalesce((SELECT refobjid FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid
		                 AND refclassid = 'pg_type'::regclass AND deptype = 'i'), 0::oid) AS range_type,
		       CASE WHEN n.nspname <> 'pg_catalog' AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
		            THEN pg_get_functiondef(p.oid) END AS definition,
		       p.proacl::text[] AS acl,
		       `+initial("pg_proc", "p.oid", "'f'", "p.proowner", "p.proacl")+`
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE p.prokind <> 'a' AND (p.oid >= $1 OR `+touched("pg_proc", "p.oid", "p.proacl")+`)
		ORDER BY p.oid`, firstNormal)
	if err != nil {
		return err
	}
	c.counted("functions", users(rows, func(r row) uint32 { return r.OID }), "SELECT count(*) FROM pg_proc WHERE oid >= $1 AND prokind <> 'a'")
	definitions := map[uint32]string{}
	var miscounted []uint32
	for _, f := range rows {
		if f.Definition == nil {
			continue
		}
		def := createNew(*f.Definition)
		definitions[f.OID] = def
		if _, err := guarded(def + ";"); err != nil {
			miscounted = append(miscounted, f.OID)
		}
	}
	if err := c.quoteWords(ctx, definitions, miscounted); err != nil {
		return err
	}
	for _, f := range rows {
		if f.RangeType != 0 {
			c.at[address{classProc, f.OID}] = c.at[address{classType, f.RangeType}]
			continue
		}
		word := "FUNCTION"
		if f.Kind == "p" {
			word = "PROCEDURE"
		}
		o := c.add(&object{address: address{class: classProc, oid: f.OID}, kind: kindFunction, word: word}, f.header)
		if err := c.grantOn(o, word, f.Owner, f.ACL, f.Def); err != nil {
			return err
		}
		if o.hidden && o.presence == chosen {
			continue
		}
		def, ok := definitions[f.OID]
		if !ok {
			return gone("function", f.Name)
		}
		o.define = func(p *printer) { p.defined(def, "CREATE "+word+" ") }
	}
	return nil
}

// quoteWords asks anew for definitions, with every name in them quoted. To find
// the end of a SQL-standard body psql counts the words BEGIN, CASE and END in a
// function's definition, and those that are the name of a function, of a column
// in its body or of a schema as well, which the server does not quote by itself.
func (c *catalog) quoteWords(ctx context.Context, definitions map[uint32]string, of []uint32) error {
	if len(of) == 0 {
		return nil
	}
	type row struct {
		OID        uint32
		Definition *string
	}
	if err := execAll(ctx, c.conn.PgConn(), "SET quote_all_identifiers = on"); err != nil {
		return err
	}
	rows, err := query[row](ctx, c, `SELECT oid, pg_get_functiondef(oid) AS definition FROM unnest($1::oid[]) oid`, of)
	if err != nil {
		return err
	}
	for _, f := range rows {
		delete(definitions, f.OID)
		if f.Definition != nil {
			definitions[f.OID] = createNew(*f.Definition)
		}
	}
	return execAll(ctx, c.conn.PgConn(), "SET quote_all_identifiers = off")
}

// createNew makes a definition one that fails where something of that name is
// there already: it would be overwritten.
func createNew(definition string) string {
	return strings.Replace(strings.TrimSuffix(definition, "\n"), "CREATE OR REPLACE ", "CREATE ", 1)
}
