package part

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readOwners reads which tables the sequences of the target go with: a dump of rows alone does not
// say so.
func (p *Part) readOwners(ctx context.Context, conn *pgx.Conn) error {
	list, err := server.Query[struct{ Schema, Name, OwnerSchema, Owner string }](ctx, conn, `
		SELECT n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name, tn.nspname::pg_catalog.text AS owner_schema, t.relname::pg_catalog.text AS owner
		FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S' JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
		WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')`)
	if err != nil {
		return fmt.Errorf("look for the sequences of tables: %w", err)
	}
	p.owners = map[name]name{}
	for _, r := range list {
		p.owners[name{r.Schema, r.Name}] = name{r.OwnerSchema, r.Owner}
	}
	return nil
}

// goesWith tells whether a sequence is in the part, in being so by its own name or not: it goes
// with its table. Rows without it would have the next one get a number that one of them has.
func (p *Part) goesWith(o *object, in bool) bool {
	n, ok := p.owners[p.place(o.name)]
	if o.word != sequence || !ok {
		return in
	}
	if p.old != "" && n.schema == p.ToSchema {
		n.schema = p.old
	}
	owner := &object{group: relation, word: table, name: n}
	switch {
	case p.excludes(owner):
		in = false
	case p.chooses(owner):
		in = !p.excludes(o)
	}
	o.chosen = in
	return in
}
