package catalog

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readBaseTypes reads the types that are made of C functions.
func readBaseTypes(ctx context.Context, c *Database) error {
	type row struct {
		OID        uint32
		Definition string
	}
	subscript := "NULL"
	if c.srv.Version >= 140000 {
		subscript = "CASE WHEN typsubscript <> 0 THEN 'SUBSCRIPT = ' || typsubscript END"
	}
	function := func(key, column string) string {
		return `CASE WHEN ` + column + ` <> 0 THEN '` + key + ` = ' || ` + column + ` END`
	}
	parts := strings.Join([]string{
		`'INTERNALLENGTH = ' || CASE typlen WHEN -1 THEN 'variable' ELSE typlen::text END`,
		`'INPUT = ' || typinput`, `'OUTPUT = ' || typoutput`,
		function("RECEIVE", "typreceive"), function("SEND", "typsend"), function("TYPMOD_IN", "typmodin"), function("TYPMOD_OUT", "typmodout"), function("ANALYZE", "typanalyze"),
		`CASE WHEN typcollation <> 0 THEN 'COLLATABLE = true' END`,
		`'DEFAULT = ' || coalesce(pg_get_expr(typdefaultbin, 0), quote_literal(typdefault))`,
		subscript,
		`CASE WHEN typelem <> 0 THEN 'ELEMENT = ' || format_type(typelem, NULL) END`,
		`CASE WHEN typcategory <> 'U' THEN 'CATEGORY = ' || quote_literal(typcategory::text) END`,
		`CASE WHEN typispreferred THEN 'PREFERRED = true' END`,
		`CASE WHEN typdelim <> ',' THEN 'DELIMITER = ' || quote_literal(typdelim::text) END`,
		`'ALIGNMENT = ' || CASE typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2' WHEN 'i' THEN 'int4' ELSE 'double' END`,
		`'STORAGE = ' || CASE typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'x' THEN 'extended' ELSE 'main' END`,
		`CASE WHEN typbyval THEN 'PASSEDBYVALUE' END`,
	}, ", ")
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT oid, concat_ws(E',\n    ', `+parts+`) AS definition FROM pg_type WHERE oid >= $1 AND typtype = 'b' AND typisdefined`, server.FirstNormal)
	for _, row := range rows {
		o := c.at[Address{classType, row.OID}]
		if o == nil || o.OID != row.OID {
			continue // an array type
		}
		o.define = func(p *script.Printer) { p.Stmt("CREATE TYPE %s (\n    %s\n)", o.Name, row.Definition) }
		c.shell(o)
	}
	return err
}
