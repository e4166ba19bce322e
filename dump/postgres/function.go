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
		       `+initial("pg_proc", "p.oid", "'f'", "p.proowner")+`
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE p.prokind <> 'a' AND (p.oid >= $1 OR `+touched("pg_proc", "p.oid", "p.proacl")+`)
		ORDER BY p.oid`, firstNormal)
	if err != nil {
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
		if f.Definition == nil {
			return gone("function", f.Name)
		}
		// An existing object of that name is an error, not to be overwritten.
		def := strings.Replace(strings.TrimSuffix(*f.Definition, "\n"), "CREATE OR REPLACE ", "CREATE ", 1)
		o.define = func(p *printer) { p.stmt("%s", def) }
	}
	return nil
}
