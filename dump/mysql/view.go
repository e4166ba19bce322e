package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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
	if len(db.views) > 0 && c.texts == nil && c.srv.mariadb() {
		var err error
		if c.texts, err = c.readViewTexts(ctx); err != nil {
			return err
		}
	}
	for i := range db.views {
		v := &db.views[i]
		text := c.texts[db.name][v.name]
		switch {
		case text == nil && c.srv.mariadb():
			return fmt.Errorf("view %s: %w", v.name, errChanged) // it was not there when the texts were read
		case text != nil && !text.opens:
			c.warn(fmt.Sprintf("view %s.%s is in the dump as its text in information_schema has it, as to show it the server might run functions of its owner's: strings that name a character set are without it", db.name, v.name))
			v.definition, v.charset, v.collation = text.statement(db.name), "utf8mb4", text.record["collation"]
			if !strings.HasPrefix(v.collation, "utf8mb4_") && isASCII(v.definition) {
				v.charset = text.record["charset"]
			} else if !strings.HasPrefix(v.collation, "utf8mb4_") {
				v.collation = "utf8mb4_general_ci"
			}
		default:
			if err := c.readView(ctx, db, v); err != nil {
				return fmt.Errorf("view %s: %w", v.name, err)
			}
		}
		if text != nil {
			v.columns, _ = selectedNames(text.record["text"])
		} else if err := c.readViewColumns(ctx, db, v); err != nil {
			return fmt.Errorf("view %s: %w", v.name, err)
		}
	}
	db.views = inOrder(db.views)
	return nil
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > 127 }) < 0
}

// readView has the server show a view.
func (c *catalog) readView(ctx context.Context, db *database, v *view) error {
	rows, err := c.conn.list(ctx, "SHOW CREATE VIEW "+ident(v.name))
	if err != nil {
		return err
	}
	if len(rows) != 1 || !rows[0].has("create view") {
		return errors.New("the server shows no definition; it takes the privilege SHOW VIEW")
	}
	r := rows[0]
	v.definition, v.charset, v.collation = r["create view"], r["character_set_client"], r["collation_connection"]
	if !c.srv.mariadb() {
		return nil
	}
	warnings, err := c.conn.list(ctx, "SHOW WARNINGS")
	for _, w := range warnings {
		if w["code"] == strconv.Itoa(errViewInvalid) {
			c.setInvalid(db, v, "Error "+w["code"]+": "+w["message"])
		}
	}
	return err
}

// setInvalid leaves a view in the dump as a comment.
func (c *catalog) setInvalid(db *database, v *view, why string) {
	v.invalid = why
	c.warn(fmt.Sprintf("view %s.%s is in the dump as a comment only: %s", db.name, v.name, why))
}

// Error numbers of the servers.
const (
	errViewInvalid  = 1356 // what the view reads is gone, or its definer may not read it
	errNoSuchDefine = 1449 // the definer is gone
)

// readViewColumns asks MySQL for the names of a view's columns.
func (c *catalog) readViewColumns(ctx context.Context, db *database, v *view) error {
	rows, err := c.conn.list(ctx, "SHOW FIELDS FROM "+ident(v.name))
	if isError(err, errViewInvalid, errNoSuchDefine) {
		c.setInvalid(db, v, err.Error())
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
	if v.invalid != "" || len(v.columns) == 0 {
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
