package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A Program is a stored routine, a trigger or an event: text that the server runs, with the
// settings of the session that made it.
type Program struct {
	Kind       string // as in DROP …: PROCEDURE
	Name       string
	label      string // for people: kind, database and name
	definition string
	lost       string // why it cannot be restored; "": it can
	settings   guard.Settings
}

// what names a program in its database's dump.
func (p *Program) what() string { return strings.ToLower(p.Kind) + " " + p.Name }

// ErrNoBody is returned for text that the server does not show this account.
var ErrNoBody = errors.New("the account may not read its text")

// routineKinds are the kinds of routines in the order in which they are made. The body of a package
// comes after its head; what one calls may come later. Libraries come before all that use them.
var routineKinds = []string{"LIBRARY", "FUNCTION", "PROCEDURE", "PACKAGE", "PACKAGE BODY"}

func (c *Reader) readRoutines(ctx context.Context, db *Database) error {
	query := "SELECT routine_type AS type, routine_name AS name FROM information_schema.routines WHERE " + c.Conn.DatabaseIs("routine_schema", db.Name)
	if c.Conn.HasLibraries() {
		query += " UNION ALL SELECT 'LIBRARY', library_name FROM information_schema.libraries WHERE " + c.Conn.DatabaseIs("library_schema", db.Name)
	}
	rows, err := c.Conn.List(ctx, query)
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b server.Record) int {
		if i, j := slices.Index(routineKinds, a["type"]), slices.Index(routineKinds, b["type"]); i != j {
			return i - j
		}
		return strings.Compare(a["name"], b["name"])
	})
	for _, r := range rows {
		if !slices.Contains(routineKinds, r["type"]) {
			c.warnOfKind(db, r["name"], r["type"])
			db.unknownRoutines++
			continue
		}
		if db.Routines, err = c.appendProgram(ctx, db, db.Routines, r["type"], r["name"]); err != nil {
			return err
		}
	}
	return nil
}

func (c *Reader) readTriggers(ctx context.Context, db *Database) error {
	rows, err := c.Conn.List(ctx, `SELECT trigger_name AS name FROM information_schema.triggers WHERE `+c.Conn.DatabaseIs("trigger_schema", db.Name)+`
		ORDER BY event_object_table, action_timing, event_manipulation, action_order, trigger_name`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if db.triggers, err = c.appendProgram(ctx, db, db.triggers, "TRIGGER", r["name"]); err != nil {
			return err
		}
	}
	return nil
}

func (c *Reader) readEvents(ctx context.Context, db *Database) error {
	rows, err := c.Conn.List(ctx, "SELECT event_name AS name FROM information_schema.events WHERE "+c.Conn.DatabaseIs("event_schema", db.Name)+" ORDER BY event_name")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if db.events, err = c.appendProgram(ctx, db, db.events, "EVENT", r["name"]); err != nil {
			return err
		}
	}
	return nil
}

// appendProgram reads one definition.
func (c *Reader) appendProgram(ctx context.Context, db *Database, list []Program, kind, name string) ([]Program, error) {
	p := Program{Kind: kind, Name: name, label: strings.ToLower(kind) + " " + db.Name + "." + name}
	r, err := c.showProgram(ctx, kind, name)
	if isObjects(err) {
		p.lost = err.Error()
		c.Warn(fmt.Sprintf("%s is in the dump as a comment only: %v", p.label, err))
		if p.definition, err = c.routineText(ctx, db, kind, name); err != nil {
			return nil, err
		}
		p.settings = guard.Home()
		return append(list, p), nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", strings.ToLower(kind), name, err)
	}
	p.definition = withString(r[programColumn(kind)], r["sql_mode"])
	mode := r["sql_mode"]
	if kind != "TRIGGER" && kind != "LIBRARY" {
		if p.definition, err = c.withOwnComment(ctx, db, kind, name, p.definition, mode, r["character_set_client"]); err != nil {
			return nil, fmt.Errorf("%s %s: %w", strings.ToLower(kind), name, err)
		}
	}
	p.settings = guard.Settings{
		Charset: r["character_set_client"], Collation: r["collation_connection"], Database: r["database collation"],
		SQLMode: &mode, TimeZone: r["time_zone"],
	}
	if kind == "LIBRARY" { // which is text of its own in UTF-8
		p.settings.Charset, p.settings.Collation = "utf8mb4", ""
	}
	if err := p.settings.Check(); err != nil {
		return nil, fmt.Errorf("%s %s: %w", strings.ToLower(kind), name, err)
	}
	if _, err := script.Terminated(p.definition, script.SQLMode(mode)|script.ServerMode(c.Conn.IsMariaDB(), c.Conn.Version[0])); errors.Is(err, io.ErrUnexpectedEOF) {
		p.lost = "its text, as the server shows it, has no end" // MySQL's ends with a zero byte that the text has
	}
	if !script.Creates(p.definition, kind) {
		p.lost = "the server shows something else for its definition"
	}
	if p.lost != "" {
		c.Warn(fmt.Sprintf("%s is in the dump as a comment only: %s", p.label, p.lost))
	}
	return append(list, p), nil
}

// showProgram has the server show a definition. The text is in the character set of the session
// that made it, and stays in it, but where clients, which read bytes, would see other letters in it
// than the server: then it is in UTF-8.
func (c *Reader) showProgram(ctx context.Context, kind, name string) (server.Record, error) {
	query := "SHOW CREATE " + kind + " " + quote.Name(name)
	show := func() (server.Record, error) {
		rows, err := c.Conn.List(ctx, query)
		switch {
		case err != nil:
			return nil, err
		case len(rows) != 1:
			return nil, fmt.Errorf("the server shows %d definitions", len(rows))
		case rows[0][programColumn(kind)] == "":
			return nil, ErrNoBody
		}
		return rows[0], nil
	}
	r, err := show()
	if err != nil || kind == "LIBRARY" || guard.ReadsAlike(r[programColumn(kind)], r["character_set_client"]) {
		return r, err
	}
	err = c.inUTF8(ctx, func() (err error) {
		r, err = show()
		return err
	})
	if err == nil {
		c.Debug(fmt.Sprintf("%s %s is in the dump in utf8mb4, as its character set %s is not read alike by all", strings.ToLower(kind), name, r["character_set_client"]))
		r["character_set_client"] = "utf8mb4"
	}
	return r, err
}

// inUTF8 has what is shown meanwhile sent in UTF-8.
func (c *Reader) inUTF8(ctx context.Context, do func() error) error {
	if err := c.Conn.Exec(ctx, "SET character_set_results = utf8mb4"); err != nil {
		return err
	}
	err := do()
	if back := c.Conn.Exec(ctx, "SET character_set_results = NULL"); err == nil {
		err = back
	}
	return err
}

func programColumn(kind string) string {
	if kind == "TRIGGER" {
		return "sql original statement"
	}
	return "create " + strings.ToLower(kind)
}

// routineText returns what information_schema has of a program that the server cannot show.
func (c *Reader) routineText(ctx context.Context, db *Database, kind, name string) (string, error) {
	from := map[string]struct{ text, table, word string }{
		"TRIGGER": {"action_statement", "triggers", "trigger"},
		"EVENT":   {"event_definition", "events", "event"},
		"LIBRARY": {"library_definition", "libraries", "library"},
	}[kind]
	condition := ""
	if from.table == "" {
		from.text, from.table, from.word = "routine_definition", "routines", "routine"
		condition = " AND routine_type = " + quote.Literal(kind)
	}
	rows, err := c.Conn.List(ctx, "SELECT "+from.text+" AS text FROM information_schema."+from.table+
		" WHERE "+c.Conn.DatabaseIs(from.word+"_schema", db.Name)+" AND "+server.NameIs(from.word+"_name", name)+condition)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0]["text"], nil
}

// isObjects tells whether an error of the server is about an object that it was to show, rather
// than about the right to see it, the connection or others' locks.
func isObjects(err error) bool {
	return server.IsError(err, server.CodeParse, server.CodeViewInvalid, server.CodeNoSuchDefine, server.CodeNoSuchTable, server.CodeBadField, server.CodeDuplicateColumn, server.CodeWrongView,
		server.CodeRoutineDamaged, server.CodeMixedCollations, server.CodeMixedCollations3, server.CodeMixedCollationsN, server.CodeUnknownCollation, server.CodeUnknownCharset, server.CodeTriggerDamaged)
}

func (p *Program) print(w *guard.Printer, db *Database) {
	if p.lost != "" {
		w.Lost(p.what(), p.lost, p.definition)
		return
	}
	s := p.settings
	if s.Database == db.collation {
		s.Database = ""
	}
	if s.Database != "" {
		w.In(guard.Home())
		w.Stmt("ALTER DATABASE %sCOLLATE %s", databaseName(w, db), s.Database)
	}
	w.In(s)
	printProgram(w, p)
	if s.Database != "" {
		w.In(guard.Home())
		w.Stmt("ALTER DATABASE %sCOLLATE %s", databaseName(w, db), db.collation)
	}
}

// printProgram writes a program's text, which may have semicolons of its own.
func printProgram(p *guard.Printer, of *Program) {
	mode := *of.settings.SQLMode
	text, err := script.Terminated(of.definition, guard.Readings(mode)...)
	if err == nil && !strings.Contains(","+mode+",", ",ORACLE,") && !strings.HasPrefix(of.Kind, "PACKAGE") { // which is of that grammar
		err = script.Enclosed(of.definition, script.SQLMode(mode))
	}
	if err != nil {
		p.Native(of.what(), of.label, fmt.Errorf("%w: %w", guard.ErrUnreadable, err), of.definition)
		return
	}
	p.Out.WriteString(text)
}
