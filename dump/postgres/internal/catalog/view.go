package catalog

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readViews reads the queries of views and materialized views. A view's query is a rule in the
// catalogues; it is found as the view.
func readViews(ctx context.Context, c *Database) error {
	type row struct {
		Rule, Relation uint32
		Query          *string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT r.oid AS rule, r.ev_class AS relation, pg_get_viewdef(r.ev_class) AS query
		FROM pg_rewrite r WHERE r.rulename = '_RETURN' AND r.ev_class = ANY ($1)`, c.relationOIDs())
	if err != nil {
		return err
	}
	c.counted("views", len(rows), "SELECT count(*) FROM pg_class WHERE relkind IN ('v', 'm') AND oid = ANY ($2)")
	for _, row := range rows {
		r := c.rels[row.Relation]
		if row.Query == nil || *row.Query == "" {
			return gone("view", r.Name)
		}
		r.query = strings.TrimSuffix(*row.Query, ";")
		rule := Address{classRewrite, row.Rule}
		c.at[rule] = r.object
		if r.Kind == view {
			r.define = func(p *script.Printer) { p.Stmt("CREATE VIEW %s%s", r.Name, r.as()) }
			r.part(rule, func() *object { return c.standIn(r, rule) })
		}
	}
	c.refreshes()
	return nil
}

// as writes a view's options, query and check option.
func (r *Relation) as() string {
	s := ""
	if len(r.Options) > 0 {
		s += " WITH (" + strings.Join(optionList("", r.Options), ", ") + ")"
	}
	s += " AS\n" + r.query
	if r.CheckOption != nil {
		s += "\n  WITH " + *r.CheckOption + " CHECK OPTION"
	}
	return s
}

// standIn makes the view one of the same columns that reads nothing, for those that depend on it,
// and returns the object that gives it its query.
func (c *Database) standIn(r *Relation, rule Address) *object {
	r.define = func(p *script.Printer) {
		columns := make([]string, 0, len(r.columns))
		for _, a := range r.columns {
			s := "    NULL::" + *a.Type
			if a.Collation != nil {
				s += " COLLATE " + *a.Collation
			}
			columns = append(columns, s+" AS "+a.Quoted)
		}
		p.Stmt("CREATE VIEW %s AS\nSELECT\n%s", r.Name, strings.Join(columns, ",\n"))
	}
	o := &object{Address: rule, kind: kindRule, word: "query of view", Name: r.Name, state: r.state.ofPart()}
	o.undo = "DROP VIEW IF EXISTS " + r.Name + " CASCADE" // it and others need each other
	o.define = func(p *script.Printer) { p.Stmt("CREATE OR REPLACE VIEW %s%s", r.Name, r.as()) }
	c.at[rule] = o
	return o
}

// refreshes makes the objects that fill the materialized views, last of all and each after those it
// reads.
func (c *Database) refreshes() {
	for _, r := range c.Tables {
		if r.Kind != materializedView || !r.Populated || r.emptied || c.sel.SchemaOnly {
			continue
		}
		o := &object{Address: Address{classRefresh, r.Address.OID}, kind: kindRefresh, word: "refresh of", Name: r.Name}
		o.define = func(p *script.Printer) { p.Stmt("REFRESH MATERIALIZED VIEW %s", r.Name) }
		o.need(r.object)
		c.register(o)
	}
}
