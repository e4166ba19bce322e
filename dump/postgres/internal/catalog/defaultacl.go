package catalog

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readDefaultPrivileges reads ALTER DEFAULT PRIVILEGES. They are written with the privileges, after
// everything they would apply to is made.
func readDefaultPrivileges(ctx context.Context, c *Database) error {
	type row struct {
		OID, Role, SchemaID uint32
		Schema              *string
		Type                string
		ACL                 []string `db:"acl"`
		Def                 []string
	}
	// Those of a schema add to the general ones, so what is left out of them is nothing taken away.
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT d.oid, defaclrole AS role, defaclnamespace AS schema_id, quote_ident(nspname) AS schema, defaclobjtype::text AS type, defaclacl::text[] AS acl,
		       CASE WHEN defaclnamespace = 0 THEN acldefault(CASE defaclobjtype WHEN 'S' THEN 's' ELSE defaclobjtype END, defaclrole)::text[] ELSE '{}' END AS def
		FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = defaclnamespace
		ORDER BY pg_get_userbyid(defaclrole), nspname NULLS FIRST, defaclobjtype`)
	if err != nil {
		return err
	}
	types := map[string]string{"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES", "n": "SCHEMAS", "L": "LARGE OBJECTS"}
	for _, row := range rows {
		prefix := "ALTER DEFAULT PRIVILEGES FOR ROLE " + c.roles[row.Role].Quoted + " "
		o := &object{Address: Address{classDefaultACL, row.OID}, kind: kindDefaultACL, word: "default privileges", Name: "of role " + c.roles[row.Role].Quoted + " on " + strings.ToLower(types[row.Type])}
		if row.Schema != nil {
			prefix += "IN SCHEMA " + *row.Schema + " "
			o.Name += " in schema " + *row.Schema
			schema := c.at[Address{classNamespace, row.SchemaID}]
			o.need(schema)
			o.goes = true
			o.state = schema.state.inside()
		} else if c.sel.Including() {
			o.state = unasked
		}
		if err := c.grantColumn(o, types[row.Type], "", row.Role, row.ACL, row.Def); err != nil {
			return err
		}
		for i := range o.grants {
			o.grants[i].prefix = prefix
		}
		c.objects = append(c.objects, o)
	}
	return nil
}
