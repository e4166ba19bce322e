package catalog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A View.
type View struct {
	Name       string
	columns    []string
	definition string // CREATE … VIEW …
	charset    string // of the session that made it
	collation  string
	duality    bool   // MySQL: it shows rows as JSON documents
	invalid    string // why the server cannot read it
}

func (c *Reader) readViews(ctx context.Context, db *Database) error {
	if len(db.Views) > 0 && c.texts == nil && c.Conn.IsMariaDB() {
		var err error
		if c.texts, err = c.readViewTexts(ctx); err != nil {
			return err
		}
	}
	for i := range db.Views {
		v := &db.Views[i]
		text := c.texts[db.Name][v.Name]
		switch {
		case text == nil && c.Conn.IsMariaDB():
			return fmt.Errorf("view %s: %w", v.Name, ErrChanged) // it was not there when the texts were read
		case text != nil && !text.opens:
			c.Warn(fmt.Sprintf("view %s.%s is in the dump as its text in information_schema has it, as to show it the server might run functions of its owner's: strings that name a character set are without it", db.Name, v.Name))
			v.byText(db, text)
			if err := v.check(); err != nil {
				c.setInvalid(db, v, err.Error())
			}
		default:
			if err := c.readView(ctx, db, v); err != nil {
				return fmt.Errorf("view %s: %w", v.Name, err)
			}
		}
		if v.invalid != "" || v.columns != nil {
			continue
		}
		if text != nil {
			v.columns, _ = SelectedNames(text.Record["text"])
		} else if err := c.readViewColumns(ctx, db, v); err != nil {
			return fmt.Errorf("view %s: %w", v.Name, err)
		}
	}
	db.Views = inOrder(db.Views)
	return nil
}

// byText makes the view what its text in information_schema says.
func (v *View) byText(db *Database, text *viewText) {
	v.definition, v.charset, v.collation = text.statement(db.Name), "utf8mb4", text.Record["collation"]
	if !strings.HasPrefix(v.collation, "utf8mb4_") && quote.IsASCII(v.definition) {
		v.charset = text.Record["charset"]
	} else if !strings.HasPrefix(v.collation, "utf8mb4_") {
		v.collation = "utf8mb4_general_ci"
	}
}

// readView has the server show a view. Where it cannot, or shows what clients would not read as
// that view, there still is its text in information_schema, and if that is no better it is a
// comment.
func (c *Reader) readView(ctx context.Context, db *Database, v *View) error {
	invalid, err := c.showView(ctx, v)
	if invalid != "" {
		c.setInvalid(db, v, invalid)
		return nil
	}
	if server.IsError(err, server.CodeNoSuchTable) && strings.Contains(err.Error(), "'"+db.Name+"."+v.Name+"'") { // it itself is gone, and may come again
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	if err != nil && !isObjects(err) {
		return err
	}
	if err == nil {
		err = v.check()
	}
	if err != nil {
		text, err2 := c.viewText(ctx, db, v.Name)
		if err2 != nil {
			return err2
		}
		if text == nil {
			c.setInvalid(db, v, err.Error())
			return nil
		}
		// MySQL puts backslashes into letters of sets that have them there, and cannot read the
		// view any more, but has its text in UTF-8. Of another view that it cannot read the text is
		// no better.
		misread := guard.IsMultibyte(text.Record["charset"]) && !quote.IsASCII(text.Record["text"])
		if v.byText(db, text); v.check() != nil || isObjects(err) && !misread {
			c.setInvalid(db, v, err.Error())
			return nil
		}
		v.columns, _ = SelectedNames(text.Record["text"])
		c.Warn(fmt.Sprintf("view %s.%s is in the dump as its text in information_schema has it, as what the server shows of it is not to be read: %v", db.Name, v.Name, err))
	}
	return nil
}

// showView reads what the server shows of a view, and why that is of no use where it is: in the
// character set of the session that made it, but where clients, which read bytes, would see other
// letters in that than the server.
func (c *Reader) showView(ctx context.Context, v *View) (invalid string, err error) {
	show := func() error {
		rows, err := c.Conn.List(ctx, "SHOW CREATE VIEW "+quote.Name(v.Name))
		if err != nil {
			return err
		}
		if len(rows) != 1 || !rows[0].Has("create view") {
			return errors.New("the server shows no definition; it takes the privilege SHOW VIEW")
		}
		r := rows[0]
		v.definition, v.charset, v.collation = r["create view"], r["character_set_client"], r["collation_connection"]
		if !c.Conn.IsMariaDB() {
			return nil // which says so when it is asked for the columns
		}
		warnings, err := c.Conn.List(ctx, "SHOW WARNINGS")
		for _, w := range warnings {
			if w["code"] == strconv.Itoa(server.CodeViewInvalid) {
				invalid = "Error " + w["code"] + ": " + w["message"]
			}
		}
		return err
	}
	err = show()
	if err == nil && !guard.ReadsAlike(v.definition, v.charset) {
		err = c.inUTF8(ctx, show)
		c.Debug(fmt.Sprintf("view %s is in the dump in utf8mb4, as its character set %s is not read alike by all", v.Name, v.charset))
		v.charset = "utf8mb4"
	}
	return invalid, err
}

// dualityView are the words by which MySQL makes a view of JSON documents of rows.
const dualityView = "JSON RELATIONAL DUALITY VIEW"

// check says what is wrong with a definition that the server shows.
func (v *View) check() error {
	v.duality = script.Creates(v.definition, dualityView)
	if !v.duality && !script.Creates(v.definition, "VIEW") {
		return errors.New("what the server shows is no view")
	}
	if err := (guard.Settings{Charset: v.charset, Collation: v.collation}).Check(); err != nil {
		return err
	}
	return script.Single(v.definition, guard.Readings("")...)
}

// viewText returns what information_schema has of a view, or nil where it does not say.
func (c *Reader) viewText(ctx context.Context, db *Database, name string) (*viewText, error) {
	if c.Conn.IsMariaDB() {
		return c.texts[db.Name][name], nil
	}
	rows, err := c.Conn.List(ctx, `SELECT table_schema AS db, table_name AS name, view_definition AS text, check_option AS checked, definer,
		security_type AS security, 'UNDEFINED' AS algorithm, character_set_client AS charset, collation_connection AS collation
		FROM information_schema.views WHERE `+c.Conn.DatabaseIs("table_schema", db.Name)+` AND `+server.NameIs("table_name", name))
	if err != nil || len(rows) != 1 || rows[0]["text"] == "" {
		return nil, err
	}
	return &viewText{Record: rows[0]}, nil
}

// setInvalid leaves a view in the dump as a comment.
func (c *Reader) setInvalid(db *Database, v *View, why string) {
	v.invalid = why
	c.Warn(fmt.Sprintf("view %s.%s is in the dump as a comment only: %s", db.Name, v.Name, why))
}

// readViewColumns asks MySQL for the names of a view's columns.
func (c *Reader) readViewColumns(ctx context.Context, db *Database, v *View) error {
	rows, err := c.Conn.List(ctx, "SHOW FIELDS FROM "+quote.Name(v.Name))
	if isObjects(err) {
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

// inOrder sorts views so that each stands behind those whose names it mentions, as far as that is
// possible: a stand-in is enough to make a view, but not where the type of a column matters to it.
func inOrder(views []View) []View {
	sorted := make([]View, 0, len(views))
	state := make([]byte, len(views)) // 1: on the way, 2: done
	var visit func(int)
	visit = func(i int) {
		if state[i] != 0 {
			return
		}
		state[i] = 1
		for j := range views {
			if j != i && strings.Contains(views[i].definition, quote.Name(views[j].Name)) {
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

// printStandIn writes a view with the same columns and nothing to read, for the views that read
// this one.
func (v View) printStandIn(p *guard.Printer) {
	if v.invalid != "" || v.duality || len(v.columns) == 0 {
		return // nothing but queries may read a duality view, and none of another kind can take its place
	}
	columns := make([]string, len(v.columns))
	for i, name := range v.columns {
		columns[i] = "1 AS " + quote.Name(name)
	}
	p.Stmt("CREATE VIEW %s AS SELECT %s", quote.Name(v.Name), strings.Join(columns, ", "))
}

func (v View) print(p *guard.Printer) {
	if v.invalid != "" {
		p.Comment("view %+q is invalid: %+q", v.Name, v.invalid)
		p.Comment("%+q", v.definition)
		return
	}
	p.In(guard.Settings{Charset: v.charset, Collation: v.collation})
	if v.duality {
		p.Stmt("%s", v.definition)
		return
	}
	p.Stmt("CREATE OR REPLACE %s", strings.TrimPrefix(v.definition, "CREATE "))
}
