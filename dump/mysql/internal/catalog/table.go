package catalog

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A Table, with what has to be known to read its rows and write them.
type Table struct {
	DB            *Database
	Name          string // quoted
	Label         string // for people: database and name
	Engine        string
	Transactional bool   // a snapshot holds its rows
	Rowless       bool   // it holds no rows of its own
	Versioned     bool   // MariaDB keeps the history of its rows
	History       bool   // which is in the dump
	Bytes, Rows   int64  // about
	Identity      string // changes when another table takes the name, or the definition changes
	Definition    ddl.Table
	Columns       []Column // whose values are in the dump
	period        []period // of system versioning
	Later         []string // keys of the definition that are added after the rows
	Foreign       []string // foreign keys of the definition that are added after all tables
	Joined        bool     // foreign keys join it with other tables
	Key           *Key     // by which the rows leave; nil: as they lie
	zone          string   // in which it computes of TIMESTAMPs; "": it computes nothing of them, or in UTC
	machineZone   string   // what that is where it is SYSTEM
	Zoned         []string // unique keys of the definition that are added in that zone, after the rows
}

// readTables reads what there is by way of tables, and all that is to know of the tables themselves
// and of sequences.
func (c *Reader) readTables(ctx context.Context, db *Database) error {
	rows, err := c.entries(ctx, db.Name)
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b server.Record) int { return strings.Compare(a["name"], b["name"]) })
	var tables, sequences []string
	for _, r := range rows {
		switch r["type"] {
		case "BASE TABLE", "SYSTEM VERSIONED":
			tables = append(tables, r["name"])
		case "VIEW":
			db.Views = append(db.Views, View{Name: r["name"]})
		case "SEQUENCE":
			sequences = append(sequences, r["name"])
		case "TEMPORARY":
		default:
			c.warnOfKind(db, r["name"], r["type"])
			db.UnknownTables++
		}
	}
	err = c.holding(ctx, db.Name, sequences, func(names []string, _ string) error { return c.readSequences(ctx, db, names) })
	if err != nil {
		return err
	}
	return c.holding(ctx, db.Name, tables, func(_ []string, condition string) error {
		some, err := c.readSome(ctx, db, condition)
		if err != nil {
			return err
		}
		db.Tables = append(db.Tables, some...)
		if err := c.readColumns(ctx, db, some, condition); err != nil {
			return fmt.Errorf("columns: %w", err)
		}
		if err := c.readKeys(ctx, db, some, condition); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
		return c.readZones(ctx, some)
	})
}

// readSome reads those of a database's tables for which the condition holds.
func (c *Reader) readSome(ctx context.Context, db *Database, condition string) ([]*Table, error) {
	rows, err := c.Conn.List(ctx, `SELECT table_name AS name, table_type AS type, engine, data_length AS bytes, table_rows AS row_count,
			CONCAT_WS(' ', table_type, engine, create_time) AS identity, table_comment AS comment
		FROM information_schema.tables WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND `+c.Conn.DatabaseIs("table_schema", db.Name)+condition)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b server.Record) int { return strings.Compare(a["name"], b["name"]) })
	var tables []*Table
	for _, r := range rows {
		if !r.Has("engine") {
			return nil, fmt.Errorf("table %s cannot be opened: %s", r["name"], r["comment"])
		}
		t := &Table{DB: db, Name: quote.Name(r["name"]), Label: db.Name + "." + r["name"], Engine: r["engine"], Identity: r["identity"]}
		t.Versioned = r["type"] == "SYSTEM VERSIONED"
		t.Bytes, _ = strconv.ParseInt(r["bytes"], 10, 64)
		t.Rows, _ = strconv.ParseInt(r["row_count"], 10, 64)
		t.Transactional = c.engines[strings.ToLower(t.Engine)]
		switch strings.ToLower(t.Engine) {
		case "mrg_myisam", "federated", "blackhole":
			t.Rowless = true
		}
		if t.Definition, err = c.readDefinition(ctx, t); err != nil {
			return nil, fmt.Errorf("table %s: %w", r["name"], err)
		}
		c.warnOfUnknown(t)
		tables = append(tables, t)
	}
	return tables, nil
}

func (c *Reader) readDefinition(ctx context.Context, t *Table) (ddl.Table, error) {
	rows, err := c.Conn.List(ctx, "SHOW CREATE TABLE "+t.Name)
	if err != nil {
		return ddl.Table{}, err
	}
	if len(rows) != 1 || !rows[0].Has("create table") {
		return ddl.Table{}, fmt.Errorf("the server shows no definition")
	}
	d, err := ddl.ParseTable(rows[0]["create table"])
	if err == nil && d.Head != "CREATE TABLE "+t.Name+" (" {
		err = fmt.Errorf("the server shows %+q for its definition", guard.Shortened(d.Head))
	}
	if err == nil && query.MatchString(quote.Emptied(d.Tail)) {
		err = fmt.Errorf("the definition that the server shows has a query behind it")
	}
	return d, err
}

// query are words of what may stand behind a definition but is none: rows for the table, which a
// restore would read wherever it runs.
var query = regexp.MustCompile(`(?i)\b(SELECT|TABLE|LIKE)\b`)

// Source is where a query finds all the table's rows.
func (t *Table) Source() string {
	var b strings.Builder
	b.WriteString(" FROM " + t.Qualified())
	if t.History {
		b.WriteString(" FOR SYSTEM_TIME ALL")
	}
	stored := strings.EqualFold(t.Engine, "InnoDB")
	switch {
	case t.Key == nil:
		// An index might hold all that is asked for, and be in another order.
		b.WriteString(" USE INDEX ()")
	case stored:
		b.WriteString(" FORCE INDEX (" + t.Key.Name + ")")
	default: // which means nothing, but that it is no view: see hold.go
		b.WriteString(" USE INDEX FOR GROUP BY ()")
	}
	return b.String()
}

// Qualified is the table's name behind its database's.
func (t *Table) Qualified() string { return quote.Name(t.DB.Name) + "." + t.Name }

// CreateTable writes a table's definition, without what is added to it later.
func CreateTable(p *guard.Printer, t *Table) {
	definition := t.Definition.Without(t.Later).Without(t.Foreign).Without(t.Zoned)
	if !p.Qualified {
		definition = definition.Within(t.DB.Name)
	}
	p.Stmt("%s", definition)
}
