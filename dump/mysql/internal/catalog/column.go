package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/value"
)

// A Column whose values are in the dump.
type Column struct {
	Name       string // quoted
	Read       string // what is asked of the server
	Form       value.Form
	Charset    *value.Charset // of a Legacy column
	integer    bool
	Type       string // as information_schema names it, in lower case
	NeverEmpty bool   // no INSERT takes an empty value
	Size       string // what tells the length in bytes, or about that, of a value that may be long; "": none is
}

// readColumns reads the columns of every table. Generated ones have no values of their own; the
// periods of system versioning are the server's to keep.
func (c *Reader) readColumns(ctx context.Context, db *Database, some []*Table, condition string) error {
	rows, err := c.Conn.List(ctx, `SELECT table_name AS tab, column_name AS name, data_type AS type, column_type AS full, character_set_name AS charset, generation_expression AS expression
		FROM information_schema.columns WHERE `+c.Conn.DatabaseIs("table_schema", db.Name)+condition+` ORDER BY table_name, ordinal_position`)
	if err != nil {
		return err
	}
	tables := make(map[string]*Table, len(some))
	for _, t := range some {
		tables[t.Name] = t
	}
	listed := make(map[*Table]int, len(some))
	for _, r := range rows {
		t := tables[quote.Name(r["tab"])]
		if t == nil {
			continue
		}
		listed[t]++
		switch r["expression"] {
		case "":
			col, err := c.newColumn(ctx, r["name"], strings.ToLower(r["type"]), r["charset"], r["full"])
			if err != nil {
				return fmt.Errorf("table %s: column %s: %w", r["tab"], r["name"], err)
			}
			t.Columns = append(t.Columns, col)
			if err := c.warnOfMembers(ctx, t, col, r["charset"], r["full"]); err != nil {
				return fmt.Errorf("table %s: column %s: %w", r["tab"], r["name"], err)
			}
		case "ROW START", "ROW END":
			t.period = append(t.period, period{quote.Name(r["name"]), strings.ToLower(r["type"])})
		}
	}
	for _, t := range some {
		if err := t.countColumns(listed[t]); err != nil {
			return err
		}
		if t.Versioned {
			c.addHistory(t)
		}
	}
	return nil
}

// A period is one of the two columns that say when a row was valid.
type period struct{ name, typ string }

// addHistory adds to a table's columns what says when each row was valid, where the server can take
// in rows of the past.
func (c *Reader) addHistory(t *Table) {
	p := t.period
	if len(p) == 0 {
		p = []period{{"`row_start`", "timestamp"}, {"`row_end`", "timestamp"}}
	}
	switch {
	case !c.Conn.AtLeast(server.MariaDB, server.Version{10, 11, 0}):
		c.Warn(fmt.Sprintf("the history of the rows of %s is not in the dump: the server is older than MariaDB 10.11", t.Label))
		return
	case p[0].typ != "timestamp":
		c.Warn(fmt.Sprintf("the history of the rows of %s is not in the dump: no server takes in a history by transactions", t.Label))
		return
	}
	t.History = true
	// The end of time is another one before MariaDB 11.5 than since.
	end := "IF(" + p[1].name + " IN ('2038-01-19 03:14:07.999999', '2106-02-07 06:28:15.999999'), NULL, " + p[1].name + ")"
	t.Columns = append(t.Columns, Column{Name: p[0].name, Read: p[0].name, Form: value.Quoted}, Column{Name: p[1].name, Read: end, Form: value.End})
	t.period = p
}

func (c *Reader) newColumn(ctx context.Context, name, typ, charset, full string) (Column, error) {
	col := Column{Name: quote.Name(name), Type: typ}
	col.Read = col.Name
	switch typ {
	case "mediumblob", "longblob", "mediumtext", "longtext", "xmltype",
		"geometry", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		col.Size = "LENGTH(" + col.Name + ")"
	case "json": // MySQL's, whose text the server makes anew each time
		col.Size = "JSON_STORAGE_SIZE(" + col.Name + ")"
	}
	switch typ {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		col.Form, col.integer = value.Plain, true
	case "decimal", "year":
		col.Form = value.Plain
	case "double":
		// As text, which is the shortest that is the same number, and which the driver does not
		// take apart.
		col.Form, col.Read = value.Float, "CONCAT("+col.Name+")"
	case "float":
		// Of a FLOAT the servers show six digits.
		col.Form, col.Read = value.Float, "CONCAT(CAST("+col.Name+" AS DOUBLE))"
	case "date", "time", "datetime", "timestamp", "uuid", "inet4", "inet6":
		col.Form = value.Quoted
	case "bit", "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		col.Form = value.Hex
	case "vector", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		col.Form, col.NeverEmpty = value.Hex, true
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		if (typ == "enum" || typ == "set") && (charset == "binary" || hasEmptyMember(full)) {
			// By its number: an empty text may be that of a member or of none, and of bytes MariaDB
			// shows members as it can.
			col.Form, col.Read = value.Plain, "CAST("+col.Name+" AS UNSIGNED)"
			return col, nil
		}
		switch charset {
		case "utf8mb4", "utf8mb3", "utf8", "ascii":
			col.Form = value.Text
		case "", "binary":
			col.Form = value.Hex
		default:
			var err error
			col.Form = value.Legacy
			col.Charset, err = c.charset(ctx, charset)
			return col, err
		}
	case "json":
		col.Form, col.Read = value.JSON, value.ScalarOrText(col.Name)
	case "xmltype":
		col.Form = value.Text
	default:
		return col, fmt.Errorf("type %s is not known", typ)
	}
	return col, nil
}

// charset returns a character set by its name, and learns it from the server the first time.
func (c *Reader) charset(ctx context.Context, name string) (*value.Charset, error) {
	if known := c.charsets[name]; known != nil {
		return known, nil
	}
	set, err := value.ReadCharset(ctx, c.Conn, name)
	if c.charsets == nil {
		c.charsets = make(map[string]*value.Charset)
	}
	if err == nil {
		c.charsets[name] = set
	}
	return set, err
}
