package part

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
)

// mayBeMade returns an error if it is known beforehand that the target would not take what the part
// makes there. With clean it is too late to find that out by trying: the table has gone by then.
func (p *Part) mayBeMade(ctx context.Context, conn *pgx.Conn, there map[key]found, gone map[uint32]bool) error {
	var schemas []string
	makes := false
	for _, o := range p.objects.list {
		if !o.wanted || o.left || o.there {
			continue
		}
		if err := p.parted(o, there, gone); err != nil {
			return err
		}
		in := p.inTarget(o).schema
		if _, ok := there[key{schema, name{"", in}}]; in != "" && ok {
			schemas = append(schemas, in)
		}
		makes = makes || o.group == schema || in != "" && in == p.ToSchema && !p.into
	}
	rows, err := conn.Query(ctx, `
		SELECT pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', nspname, current_user) FROM pg_catalog.pg_namespace
		WHERE nspname::pg_catalog.text = ANY ($1) AND NOT (pg_catalog.has_schema_privilege(oid, 'USAGE') AND pg_catalog.has_schema_privilege(oid, 'CREATE'))
		UNION ALL SELECT pg_catalog.format('GRANT CREATE ON DATABASE %I TO %I', pg_catalog.current_database(), current_user)
		WHERE $2 AND NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') ORDER BY 1`, schemas, makes)
	if err != nil {
		return fmt.Errorf("look for the role's rights: %w", err)
	}
	lacks, err := pgx.CollectRows(rows, pgx.RowTo[string])
	switch {
	case err != nil:
		return fmt.Errorf("look for the role's rights: %w", err)
	case len(lacks) > 0:
		return fmt.Errorf("the role may not make there what is restored: %s", strings.Join(lacks, "; "))
	}
	return nil
}

// parted returns an error if a table that goes into another schema would inherit from one that the
// target has: that one would show the copy's rows, beside those of the table it is a copy of.
func (p *Part) parted(o *object, there map[key]found, gone map[uint32]bool) error {
	if p.old == "" || !o.isTable() {
		return nil
	}
	for _, n := range o.parents() {
		if f, ok := there[key{relation, p.place(n)}]; ok && !gone[f.OID] {
			return fmt.Errorf("%w: it has %s, from which %s inherits and whose rows would be shown twice; what inherits goes into another schema only with the table that it inherits from, or into another database",
				dump.ErrNotEmpty, drop{f.Word, f.at()}, p.place(o.name))
		}
	}
	return nil
}

// parents are the names of the tables that a table inherits from, but for partitions, which are
// attached.
func (o *object) parents() (list []name) {
	for _, s := range o.statements {
		c := read(s.item.Text)
		switch {
		case c.take("create"):
			if !c.to("inherits") || !c.peek().isSign("(") {
				continue
			}
			for c.peek().isSign("(") || c.peek().isSign(",") {
				c.at++
				list = append(list, c.name())
			}
		case c.take("alter"):
			c.skip("foreign", "table", "only")
			c.name()
			if c.take("inherit") {
				list = append(list, c.name())
			}
		}
	}
	return slices.DeleteFunc(list, func(n name) bool { return n == name{} })
}
