package mysql

import (
	"context"
	"fmt"
	"strings"
)

// A view.
type view struct {
	name       string
	columns    []string
	definition string // CREATE … VIEW …
	charset    string // of the session that made it
	collation  string
	invalid    string // why the server cannot read it
}

func (c *catalog) readViews(ctx context.Context, db *database) error {
	for i := range db.views {
		v := &db.views[i]
		rows, err := c.conn.list(ctx, "SHOW CREATE VIEW "+ident(v.name))
		if err != nil {
			return fmt.Errorf("view %s: %w", v.name, err)
		}
		if len(rows) != 1 || !rows[0].has("create view") {
			return fmt.Errorf("view %s: the server shows no definition; it takes the privilege SHOW VIEW", v.name)
		}
		r := rows[0]
		v.definition, v.charset, v.collation = r["create view"], r["character_set_client"], r["collation_connection"]
		if err := c.readViewColumns(ctx, db, v); err != nil {
			return fmt.Errorf("view %s: %w", v.name, err)
		}
	}
	db.views = inOrder(db.views)
	return nil
}

// Error numbers of the servers.
const (
	errViewInvalid  = 1356 // what the view reads is gone, or its definer may not read it
	errNoSuchDefine = 1449 // the definer is gone
)

func (c *catalog) readViewColumns(ctx context.Context, db *database, v *view) error {
	rows, err := c.conn.list(ctx, "SHOW FIELDS FROM "+ident(v.name))
	if isError(err, errViewInvalid, errNoSuchDefine) {
		v.invalid = err.Error()
		c.warn(fmt.Sprintf("view %s.%s is in the dump as a comment only: %v", db.name, v.name, err))
		return nil
	}
	if err != nil {
		return err
	}
	for _, r := range rows {
		v.columns = append(v.columns, r["field"])
	}
	return nil
}

// inOrder sorts views so that each stands behind those whose names it mentions,
// as far as that is possible: a stand-in is enough to make a view, but not
// where the type of a column matters to it.
func inOrder(views []view) []view {
	sorted := make([]view, 0, len(views))
	state := make([]byte, len(views)) // 1: on the way, 2: done
	var visit func(int)
	visit = func(i int) {
		if state[i] != 0 {
			return
		}
		state[i] = 1
		for j := range views {
			if j != i && strings.Contains(views[i].definition, ident(views[j].name)) {
				visit(j)
			}
		}
		state[i] = 2
		sorted = append(sorted, views[i])
	}
	for i := range views {
		visit(i)
	}
	return sorted
}

// printStandIn writes a view with the same columns and nothing to read, for the
// views that read this one.
func (v view) printStandIn(p *printer) {
	if v.invalid != "" {
		return
	}
	columns := make([]string, len(v.columns))
	for i, name := range v.columns {
		columns[i] = "1 AS " + ident(name)
	}
	p.stmt("CREATE VIEW %s AS SELECT %s", ident(v.name), strings.Join(columns, ", "))
}

func (v view) print(p *printer) {
	if v.invalid != "" {
		p.comment("view %+q is invalid: %s", v.name, v.invalid)
		p.comment("%s;", v.definition)
		return
	}
	p.in(settings{charset: v.charset, collation: v.collation})
	p.stmt("CREATE OR REPLACE %s", strings.TrimPrefix(v.definition, "CREATE "))
}
