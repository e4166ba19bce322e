package catalog

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readPolicies reads the policies of row level security, and which tables have it enabled. It comes
// after the rows, or the loading role might not see them.
func readPolicies(ctx context.Context, c *Database) error {
	for _, r := range c.Tables {
		if !r.Security {
			continue
		}
		o := &object{Address: Address{classRowSecurity, r.Address.OID}, kind: kindPolicy, word: "row level security of", Name: r.Name}
		o.define = func(p *script.Printer) { p.Stmt("ALTER TABLE %s ENABLE ROW LEVEL SECURITY", r.Name) }
		o.goes = true
		o.need(r.object)
		c.objects = append(c.objects, o)
	}
	type row struct {
		OID, Relation uint32
		Name, Command string
		Permissive    bool
		Roles         string
		Using, Check  *string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT oid, polrelid AS relation, quote_ident(polname) AS name, polcmd::text AS command, polpermissive AS permissive,
		       CASE WHEN polroles = '{0}' THEN '' ELSE coalesce((SELECT string_agg(quote_ident(rolname), ', ' ORDER BY rolname) FROM pg_roles WHERE oid = ANY (polroles)), '') END AS roles,
		       pg_get_expr(polqual, polrelid) AS using, pg_get_expr(polwithcheck, polrelid) AS check
		FROM pg_policy WHERE polrelid = ANY ($1) ORDER BY oid`, c.relationOIDs())
	if err != nil {
		return err
	}
	c.counted("policies", len(rows), "SELECT count(*) FROM pg_policy WHERE polrelid = ANY ($2)")
	commands := map[string]string{"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}
	for _, row := range rows {
		r := c.rels[row.Relation]
		o := c.addOn(r, &object{Address: Address{classPolicy, row.OID}, kind: kindPolicy, word: "POLICY"}, row.Name)
		var b strings.Builder
		b.WriteString("CREATE POLICY " + row.Name + " ON " + r.Name)
		if !row.Permissive {
			b.WriteString(" AS RESTRICTIVE")
		}
		if command := commands[row.Command]; command != "" {
			b.WriteString(" FOR " + command)
		}
		if row.Roles != "" {
			b.WriteString(" TO " + row.Roles)
		}
		if row.Using != nil {
			b.WriteString(" USING (" + *row.Using + ")")
		}
		if row.Check != nil {
			b.WriteString(" WITH CHECK (" + *row.Check + ")")
		}
		o.define = func(p *script.Printer) { p.Stmt("%s", b.String()) }
	}
	return nil
}
