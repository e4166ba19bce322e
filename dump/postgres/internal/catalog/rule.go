package catalog

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readRules reads the rules that are no view's query.
func readRules(ctx context.Context, c *Database) error {
	type row struct {
		OID, Relation uint32
		Name, Enabled string
		Definition    *string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT oid, ev_class AS relation, quote_ident(rulename) AS name, ev_enabled::text AS enabled, pg_get_ruledef(oid) AS definition
		FROM pg_rewrite WHERE rulename <> '_RETURN' AND ev_class = ANY ($1) ORDER BY oid`, c.relationOIDs())
	if err != nil {
		return err
	}
	for _, row := range rows {
		r := c.rels[row.Relation]
		if row.Definition == nil {
			return gone("rule", row.Name+" on "+r.Name)
		}
		o := c.addOn(r, &object{Address: Address{class: classRewrite, OID: row.OID}, kind: kindRule, word: "RULE"}, row.Name)
		o.define = func(p *script.Printer) {
			p.Defined(strings.TrimSuffix(*row.Definition, ";"), "CREATE RULE ")
			if how := firing[row.Enabled]; how != "" {
				p.Stmt("ALTER TABLE %s %s RULE %s", r.Name, how, row.Name)
			}
		}
	}
	return nil
}
