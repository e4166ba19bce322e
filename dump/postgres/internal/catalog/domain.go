package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

type domainRow struct {
	OID       uint32
	Base      string
	Collation *string
	NotNull   bool
	Expr      *string // the default
	Value     *string // the same as its text, where the catalogue has only that
}

// readDomains reads the domains, which are types already, and their constraints.
func readDomains(ctx context.Context, c *Database) error {
	rows, err := server.Query[domainRow](ctx, c.conn, `
		SELECT t.oid, format_type(t.typbasetype, t.typtypmod) AS base, t.typnotnull AS not_null,
		       CASE WHEN t.typcollation <> u.typcollation THEN (`+collationName+` AND co.oid = t.typcollation) END AS collation,
		       pg_get_expr(t.typdefaultbin, 'pg_type'::regclass) AS expr, t.typdefault AS value
		FROM pg_type t JOIN pg_type u ON u.oid = t.typbasetype
		WHERE t.typtype = 'd' AND t.oid >= $1`, server.FirstNormal)
	if err != nil {
		return err
	}
	checks, err := readDomainChecks(ctx, c)
	if err != nil {
		return err
	}
	for _, row := range rows {
		o := c.at[Address{classType, row.OID}]
		o.word = "DOMAIN"
		for i := range o.comments {
			o.comments[i].target = "DOMAIN " + o.Name
		}
		own := checks[row.OID]
		for _, k := range own {
			c.ownDomainCheck(o, k)
		}
		value, separate := "", false
		switch {
		case row.Expr != nil:
			value = *row.Expr
			o.part(Address{classDefault, row.OID}, func() *object {
				separate = true
				return domainDefault(o, value)
			})
		case row.Value != nil:
			value = server.Literal(*row.Value)
		}
		o.define = func(p *script.Printer) {
			born := value
			if separate {
				born = ""
			}
			p.Stmt("%s", row.create(o.Name, born, own))
		}
	}
	return nil
}

// create makes the domain with the constraints that have no object of their own. value is its
// default; empty: it has none, or none yet.
func (d domainRow) create(name, value string, own []*constraint) string {
	var b strings.Builder
	b.WriteString("CREATE DOMAIN " + name + " AS " + d.Base)
	if d.Collation != nil {
		b.WriteString(" COLLATE " + *d.Collation)
	}
	notNullNamed := slices.ContainsFunc(own, func(k *constraint) bool { return k.Type == "n" })
	if d.NotNull && !notNullNamed {
		b.WriteString(" NOT NULL")
	}
	if value != "" {
		b.WriteString(" DEFAULT " + value)
	}
	for _, k := range own {
		if !k.separate {
			b.WriteString("\n    CONSTRAINT " + k.Quoted + " " + k.Def)
		}
	}
	return b.String()
}

// domainDefault makes an object of a domain's default.
func domainDefault(domain *object, value string) *object {
	o := &object{Address: Address{classDefault, domain.OID}, kind: kindDefault, word: "default of domain", Name: domain.Name, state: domain.state.ofPart(), of: domain}
	o.undo = ifDomain(domain.Name, "DROP DEFAULT")
	o.define = func(p *script.Printer) { p.Stmt("ALTER DOMAIN %s SET DEFAULT %s", domain.Name, value) }
	return o
}

// readDomainChecks returns the constraints of domains by the domain's OID.
func readDomainChecks(ctx context.Context, c *Database) (map[uint32][]*constraint, error) {
	rows, err := server.Query[constraint](ctx, c.conn, constraintColumns+`
		WHERE contypid >= $1 AND contype IN ('c', 'n') ORDER BY contypid, conname`, server.FirstNormal)
	if err != nil {
		return nil, err
	}
	byDomain := map[uint32][]*constraint{}
	for i := range rows {
		if rows[i].Def == "" {
			return nil, fmt.Errorf("constraint %s: %w", rows[i].Quoted, ErrGone)
		}
		byDomain[rows[i].Domain] = append(byDomain[rows[i].Domain], &rows[i])
	}
	return byDomain, nil
}

// ownDomainCheck ties a constraint to its domain as ownCheck does to a table.
func (c *Database) ownDomainCheck(o *object, k *constraint) {
	at := Address{classConstraint, k.OID}
	if !k.Validated {
		c.objects = append(c.objects, c.separateDomainCheck(o, k))
		return
	}
	c.at[at] = o
	c.commentOn(o, at, 0, "CONSTRAINT "+k.Quoted+" ON DOMAIN "+o.Name)
	o.part(at, func() *object { return c.separateDomainCheck(o, k) })
}

func (c *Database) separateDomainCheck(domain *object, k *constraint) *object {
	k.separate = true
	o := &object{Address: Address{classConstraint, k.OID}, kind: kindConstraint, word: "CONSTRAINT", Name: k.Quoted + " ON DOMAIN " + domain.Name, state: domain.state.ofPart(), of: domain}
	o.define = func(p *script.Printer) { p.Stmt("ALTER DOMAIN %s ADD CONSTRAINT %s %s", domain.Name, k.Quoted, k.Def) }
	o.undo = ifDomain(domain.Name, "DROP CONSTRAINT IF EXISTS "+k.Quoted)
	o.need(domain)
	c.at[o.Address] = o
	c.commentOn(o, o.Address, 0, "CONSTRAINT "+o.Name)
	return o
}
