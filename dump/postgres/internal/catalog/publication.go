package catalog

import (
	"context"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readPublished reads which tables and schemas the publications publish, with row filters and
// column lists (15).
func readPublished(ctx context.Context, c *Database) error {
	type row struct {
		OID, Publication, Relation uint32
		Columns, Filter            *string
	}
	columns, filter := "NULL::text", "NULL::text"
	if c.srv.Version >= 150000 {
		columns = `CASE WHEN pr.prattrs IS NOT NULL THEN (SELECT string_agg(quote_ident(attname), ', ' ORDER BY k.n)
			FROM unnest(pr.prattrs::int2[]) WITH ORDINALITY k(attnum, n) JOIN pg_attribute a ON a.attrelid = pr.prrelid AND a.attnum = k.attnum) END`
		filter = `pg_get_expr(pr.prqual, pr.prrelid)`
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT pr.oid, prpubid AS publication, prrelid AS relation, `+columns+` AS columns, `+filter+` AS filter
		FROM pg_publication_rel pr WHERE prrelid = ANY ($1) ORDER BY pr.oid`, c.relationOIDs())
	if err != nil {
		return err
	}
	for _, row := range rows {
		pub, r := c.at[Address{classPublication, row.Publication}], c.rels[row.Relation]
		what := r.Name
		if row.Columns != nil {
			what += " (" + *row.Columns + ")"
		}
		if row.Filter != nil {
			what += " WHERE (" + *row.Filter + ")"
		}
		c.publish(pub, r.object, Address{classPublicationRel, row.OID}, "TABLE ONLY "+what)
	}
	if c.srv.Version < 150000 {
		return nil
	}
	type schemaRow struct{ OID, Publication, Schema uint32 }
	schemas, err := server.Query[schemaRow](ctx, c.conn, `SELECT oid, pnpubid AS publication, pnnspid AS schema FROM pg_publication_namespace ORDER BY oid`)
	for _, row := range schemas {
		pub, schema := c.at[Address{classPublication, row.Publication}], c.at[Address{classNamespace, row.Schema}]
		c.publish(pub, schema, Address{classPublicationSchema, row.OID}, "TABLES IN SCHEMA "+schema.Name)
	}
	return err
}

// publish makes the object that adds what to a publication.
func (c *Database) publish(pub, member *object, at Address, what string) {
	o := &object{Address: at, kind: kindPublished, word: "publication", Name: pub.Name + " " + member.Name, state: pub.state.ofPart()}
	o.define = func(p *script.Printer) { p.Stmt("ALTER PUBLICATION %s ADD %s", pub.Name, what) }
	o.need(pub)
	o.need(member)
	c.register(o)
}
