package mysql

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/value"
)

// A column whose values are in the dump.
type column struct {
	name       string // quoted
	read       string // what is asked of the server
	form       value.Form
	charset    *value.Charset // of a Legacy column
	integer    bool
	typ        string // as information_schema names it, in lower case
	neverEmpty bool   // no INSERT takes an empty value
	size       string // what tells the length in bytes, or about that, of a value that may be long; "": none is
}

// readColumns reads the columns of every table. Generated ones have no values
// of their own; the periods of system versioning are the server's to keep.
func (c *catalog) readColumns(ctx context.Context, db *database, some []*table, condition string) error {
	rows, err := c.conn.List(ctx, `SELECT table_name AS tab, column_name AS name, data_type AS type, column_type AS full, character_set_name AS charset, generation_expression AS expression
		FROM information_schema.columns WHERE `+c.conn.DatabaseIs("table_schema", db.name)+condition+` ORDER BY table_name, ordinal_position`)
	if err != nil {
		return err
	}
	tables := make(map[string]*table, len(some))
	for _, t := range some {
		tables[t.name] = t
	}
	listed := make(map[*table]int, len(some))
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
			t.columns = append(t.columns, col)
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
		if t.versioned {
			c.addHistory(t)
		}
	}
	return nil
}

// A period is one of the two columns that say when a row was valid.
type period struct{ name, typ string }

// addHistory adds to a table's columns what says when each row was valid, where
// the server can take in rows of the past.
func (c *catalog) addHistory(t *table) {
	p := t.period
	if len(p) == 0 {
		p = []period{{"`row_start`", "timestamp"}, {"`row_end`", "timestamp"}}
	}
	switch {
	case !c.conn.AtLeast(server.MariaDB, server.Version{10, 11, 0}):
		c.warn(fmt.Sprintf("the history of the rows of %s is not in the dump: the server is older than MariaDB 10.11", t.label))
		return
	case p[0].typ != "timestamp":
		c.warn(fmt.Sprintf("the history of the rows of %s is not in the dump: no server takes in a history by transactions", t.label))
		return
	}
	t.history = true
	// The end of time is another one before MariaDB 11.5 than since.
	end := "IF(" + p[1].name + " IN ('2038-01-19 03:14:07.999999', '2106-02-07 06:28:15.999999'), NULL, " + p[1].name + ")"
	t.columns = append(t.columns, column{name: p[0].name, read: p[0].name, form: value.Quoted}, column{name: p[1].name, read: end, form: value.End})
	t.period = p
}

func (c *catalog) newColumn(ctx context.Context, name, typ, charset, full string) (column, error) {
	col := column{name: quote.Name(name), typ: typ}
	col.read = col.name
	switch typ {
	case "mediumblob", "longblob", "mediumtext", "longtext", "xmltype",
		"geometry", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		col.size = "LENGTH(" + col.name + ")"
	case "json": // MySQL's, whose text the server makes anew each time
		col.size = "JSON_STORAGE_SIZE(" + col.name + ")"
	}
	switch typ {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		col.form, col.integer = value.Plain, true
	case "decimal", "year":
		col.form = value.Plain
	case "double":
		// As text, which is the shortest that is the same number, and which the
		// driver does not take apart.
		col.form, col.read = value.Float, "CONCAT("+col.name+")"
	case "float":
		// Of a FLOAT the servers show six digits.
		col.form, col.read = value.Float, "CONCAT(CAST("+col.name+" AS DOUBLE))"
	case "date", "time", "datetime", "timestamp", "uuid", "inet4", "inet6":
		col.form = value.Quoted
	case "bit", "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		col.form = value.Hex
	case "vector", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		col.form, col.neverEmpty = value.Hex, true
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		if (typ == "enum" || typ == "set") && (charset == "binary" || hasEmptyMember(full)) {
			// By its number: an empty text may be that of a member or of none, and of bytes MariaDB shows members as it can.
			col.form, col.read = value.Plain, "CAST("+col.name+" AS UNSIGNED)"
			return col, nil
		}
		switch charset {
		case "utf8mb4", "utf8mb3", "utf8", "ascii":
			col.form = value.Text
		case "", "binary":
			col.form = value.Hex
		default:
			var err error
			col.form = value.Legacy
			col.charset, err = c.charset(ctx, charset)
			return col, err
		}
	case "json":
		col.form, col.read = value.JSON, value.ScalarOrText(col.name)
	case "xmltype":
		col.form = value.Text
	default:
		return col, fmt.Errorf("type %s is not known", typ)
	}
	return col, nil
}

// charset returns a character set by its name, and learns it from the server the first time.
func (c *catalog) charset(ctx context.Context, name string) (*value.Charset, error) {
	if known := c.charsets[name]; known != nil {
		return known, nil
	}
	set, err := value.ReadCharset(ctx, c.conn, name)
	if err == nil {
		c.charsets[name] = set
	}
	return set, err
}
