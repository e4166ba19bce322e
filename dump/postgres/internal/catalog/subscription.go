package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readSubscriptions reads the subscriptions, which a superuser sees whole, and whom one lets. They
// are made unconnected: two databases must not consume one slot.
func readSubscriptions(ctx context.Context, c *Database) error {
	var sees bool
	if err := c.conn.QueryRow(ctx, `SELECT has_table_privilege('pg_subscription', 'SELECT')`).Scan(&sees); err != nil {
		return err
	}
	own := `subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`
	if !sees {
		var names *string
		// The columns of pg_subscription but the connection are public.
		if err := c.conn.QueryRow(ctx, `SELECT string_agg(quote_ident(subname), ', ' ORDER BY subname) FROM pg_subscription WHERE `+own).Scan(&names); err != nil {
			return err
		}
		if names != nil {
			c.warn(fmt.Sprintf("subscriptions are left out, because the role may not see their connections: %s; %s in this database, or dump as a superuser", *names, c.srv.ToGrant("pg_subscription")))
		}
		return nil
	}
	type row struct {
		header
		Info, Sync   string
		Slot         *string
		Publications string
		Options      string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT oid, 0::oid AS schema, quote_ident(subname) AS name, subowner AS owner, subconninfo AS info, subsynccommit AS sync, subslotname AS slot,
		       (SELECT string_agg(quote_ident(x), ', ' ORDER BY n) FROM unnest(subpublications) WITH ORDINALITY u(x, n)) AS publications, `+subscriptionOptions(c.srv)+` AS options
		FROM pg_subscription WHERE `+own+` ORDER BY oid`)
	if err != nil {
		return err
	}
	for _, s := range rows {
		o := c.add(&object{Address: Address{class: classSubscription, OID: s.OID}, kind: kindSubscription, word: "SUBSCRIPTION"}, s.header)
		slot := "NONE"
		if s.Slot != nil {
			slot = server.Literal(*s.Slot)
		}
		var b strings.Builder
		b.WriteString("CREATE SUBSCRIPTION " + s.Name + " CONNECTION " + server.Literal(s.Info) + " PUBLICATION " + s.Publications + " WITH (connect = false, slot_name = " + slot + s.Options)
		if s.Sync != "off" {
			b.WriteString(", synchronous_commit = " + server.Literal(s.Sync))
		}
		b.WriteString(")")
		o.define = func(p *script.Printer) { p.Stmt("%s", b.String()) }
	}
	return nil
}

// subscriptionOptions is an expression for the options that differ from what they are born with, as
// they follow others in WITH.
func subscriptionOptions(srv server.Info) string {
	options := "''"
	for _, o := range []struct {
		since int
		sql   string
	}{
		{140000, ` || CASE WHEN subbinary THEN ', binary = true' ELSE '' END`},
		{150000, ` || CASE subtwophasestate WHEN 'd' THEN '' ELSE ', two_phase = on' END || CASE WHEN subdisableonerr THEN ', disable_on_error = true' ELSE '' END`},
		{160000, ` || CASE substream WHEN 't' THEN ', streaming = on' WHEN 'p' THEN ', streaming = parallel' ELSE '' END
			|| CASE WHEN NOT subpasswordrequired THEN ', password_required = false' ELSE '' END || CASE WHEN subrunasowner THEN ', run_as_owner = true' ELSE '' END
			|| CASE WHEN suborigin <> 'any' THEN ', origin = ' || suborigin ELSE '' END`},
		{170000, ` || CASE WHEN subfailover THEN ', failover = true' ELSE '' END`},
	} {
		if srv.Version >= o.since {
			options += o.sql
		}
	}
	if srv.Version >= 140000 && srv.Version < 160000 {
		options += ` || CASE WHEN substream THEN ', streaming = on' ELSE '' END`
	}
	return options
}
