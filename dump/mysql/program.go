package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/script"
)

// A program is a stored routine, a trigger or an event: text that the server
// runs, with the settings of the session that made it.
type program struct {
	kind       string // as in DROP …: PROCEDURE
	name       string
	definition string // with its delimiter
	settings   settings
}

// settings are those of a session that an object keeps.
type settings struct {
	charset   string
	collation string
	sqlMode   *string // nil: of no matter
	timeZone  string  // "": of no matter
	database  string  // the database's collation; "": of no matter
}

// errNoBody is returned for text that the server does not show this account.
var errNoBody = errors.New("the account may not read its text")

// routineKinds are the kinds of routines in the order in which they are made.
// The body of a package comes after its head; what one calls may come later.
var routineKinds = []string{"FUNCTION", "PROCEDURE", "PACKAGE", "PACKAGE BODY"}

func (c *catalog) readRoutines(ctx context.Context, db *database) error {
	rows, err := c.conn.list(ctx, "SELECT routine_type AS type, routine_name AS name FROM information_schema.routines WHERE routine_schema = "+literal(db.name))
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b record) int {
		if i, j := slices.Index(routineKinds, a["type"]), slices.Index(routineKinds, b["type"]); i != j {
			return i - j
		}
		return strings.Compare(a["name"], b["name"])
	})
	for _, r := range rows {
		if !slices.Contains(routineKinds, r["type"]) {
			return fmt.Errorf("%s is a %s, which is not known", r["name"], r["type"])
		}
		if db.routines, err = c.appendProgram(ctx, db.routines, r["type"], r["name"]); err != nil {
			return err
		}
	}
	return nil
}

func (c *catalog) readTriggers(ctx context.Context, db *database) error {
	rows, err := c.conn.list(ctx, `SELECT trigger_name AS name FROM information_schema.triggers WHERE trigger_schema = `+literal(db.name)+`
		ORDER BY event_object_table, action_timing, event_manipulation, action_order, trigger_name`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if db.triggers, err = c.appendProgram(ctx, db.triggers, "TRIGGER", r["name"]); err != nil {
			return err
		}
	}
	return nil
}

func (c *catalog) readEvents(ctx context.Context, db *database) error {
	rows, err := c.conn.list(ctx, "SELECT event_name AS name FROM information_schema.events WHERE event_schema = "+literal(db.name)+" ORDER BY event_name")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if db.events, err = c.appendProgram(ctx, db.events, "EVENT", r["name"]); err != nil {
			return err
		}
	}
	return nil
}

// appendProgram reads one definition. The text is in the character set of the
// session that made it, and stays in it.
func (c *catalog) appendProgram(ctx context.Context, list []program, kind, name string) ([]program, error) {
	what := strings.ToLower(kind) + " " + name
	rows, err := c.conn.list(ctx, "SHOW CREATE "+kind+" "+ident(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if len(rows) != 1 {
		return nil, fmt.Errorf("%s: the server shows %d definitions", what, len(rows))
	}
	r := rows[0]
	column := "create " + strings.ToLower(kind)
	if kind == "TRIGGER" {
		column = "sql original statement"
	}
	if r[column] == "" {
		return nil, fmt.Errorf("%s: %w", what, errNoBody)
	}
	mode := r["sql_mode"]
	// Users wrote this: clients might find another end of it, or a command of theirs.
	definition, err := script.Terminated(r[column], c.scriptMode(mode))
	if err != nil {
		return nil, fmt.Errorf("%s: clients would not read its text as one statement: %w", what, err)
	}
	return append(list, program{kind: kind, name: name, definition: definition, settings: settings{
		charset: r["character_set_client"], collation: r["collation_connection"], database: r["database collation"],
		sqlMode: &mode, timeZone: r["time_zone"],
	}}), nil
}

func (p *program) print(w *printer, db *database) {
	s := p.settings
	if s.database == db.collation {
		s.database = ""
	}
	if s.database != "" {
		w.in(home())
		w.stmt("ALTER DATABASE %sCOLLATE %s", w.databaseName(db), s.database)
	}
	w.in(s)
	w.w.WriteString(p.definition)
	if s.database != "" {
		w.in(home())
		w.stmt("ALTER DATABASE %sCOLLATE %s", w.databaseName(db), db.collation)
	}
}

// scriptMode is how the clients read text in a session with this sql_mode.
func (c *catalog) scriptMode(sqlMode string) script.Mode {
	m := script.SQLMode(sqlMode)
	if !c.srv.mariadb() {
		m |= script.MySQL
	}
	return m
}
