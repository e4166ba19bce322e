package catalog

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readTriggers reads triggers. Those that a partition has from its table come with it, and are only
// altered where they fire otherwise.
func readTriggers(ctx context.Context, c *Database) error {
	type row struct {
		OID, Relation uint32
		Name, Enabled string
		Copied        bool
		Definition    *string
	}
	copied, chosen := "t.tgisinternal", "NOT t.tgisinternal"
	if c.srv.Version >= 150000 {
		copied, chosen = "t.tgparentid <> 0", "NOT t.tgisinternal AND t.tgparentid = 0"
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT t.oid, t.tgrelid AS relation, quote_ident(t.tgname) AS name, t.tgenabled::text AS enabled, `+copied+` AS copied,
		       pg_get_triggerdef(t.oid) AS definition
		FROM pg_trigger t LEFT JOIN pg_trigger u ON u.oid = t.tgparentid
		WHERE t.tgrelid = ANY ($1) AND (`+chosen+` OR t.tgenabled <> u.tgenabled)
		ORDER BY t.oid`, c.relationOIDs())
	if err != nil {
		return err
	}
	for _, row := range rows {
		r := c.rels[row.Relation]
		if row.Definition == nil {
			return gone("trigger", row.Name+" on "+r.Name)
		}
		o := c.addOn(r, &object{Address: Address{classTrigger, row.OID}, kind: kindTrigger, word: "TRIGGER"}, row.Name)
		o.goes = row.Copied
		o.define = func(p *script.Printer) {
			if !row.Copied {
				p.Defined(*row.Definition, "CREATE TRIGGER ", "CREATE CONSTRAINT TRIGGER ")
			}
			how := firing[row.Enabled]
			if row.Copied && how == "" {
				how = "ENABLE"
			}
			if how != "" {
				p.Stmt("%s %s TRIGGER %s", strings.Replace(r.alter(), " ONLY ", " ", 1), how, row.Name)
			}
		}
	}
	return nil
}

// firing words of ALTER TABLE by pg_trigger.tgenabled and pg_rewrite.ev_enabled; O, the origin, is
// what both are born with.
var firing = map[string]string{"D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
