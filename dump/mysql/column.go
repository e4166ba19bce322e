package mysql

import (
	"context"
	"fmt"
	"strings"
)

// A column whose values are in the dump.
type column struct {
	name    string // quoted
	read    string // what is asked of the server
	form    form
	charset *charset // of a formLegacy column
	integer bool
}

// A form is how a value that the server sent is written.
type form byte

const (
	formText   form = iota // a string constant: the bytes are UTF-8, or should be
	formPlain              // as it is: a number
	formQuoted             // in quotes as it is: a date, an address
	formHex                // a hexadecimal constant
	formLegacy             // text in a character set of its own
)

// readColumns reads the columns of every table. Generated ones have no values
// of their own; the periods of system versioning are the server's to keep.
func (c *catalog) readColumns(ctx context.Context, db *database) error {
	rows, err := c.conn.list(ctx, `SELECT table_name AS tab, column_name AS name, data_type AS type, character_set_name AS charset, generation_expression AS expression
		FROM information_schema.columns WHERE table_schema = `+literal(db.name)+` ORDER BY table_name, ordinal_position`)
	if err != nil {
		return err
	}
	tables := make(map[string]*table, len(db.tables))
	for _, t := range db.tables {
		tables[t.name] = t
	}
	for _, r := range rows {
		t := tables[ident(r["tab"])]
		if t == nil || r["expression"] != "" {
			continue
		}
		col, err := c.newColumn(ctx, r["name"], strings.ToLower(r["type"]), r["charset"])
		if err != nil {
			return fmt.Errorf("table %s: column %s: %w", r["tab"], r["name"], err)
		}
		t.columns = append(t.columns, col)
	}
	return nil
}

func (c *catalog) newColumn(ctx context.Context, name, typ, charset string) (column, error) {
	col := column{name: ident(name)}
	col.read = col.name
	switch typ {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		col.form, col.integer = formPlain, true
	case "decimal", "year", "double":
		col.form = formPlain
	case "float":
		// The servers show six digits of a FLOAT.
		col.form, col.read = formPlain, "CAST("+col.name+" AS DOUBLE)"
	case "date", "time", "datetime", "timestamp", "uuid", "inet4", "inet6":
		col.form = formQuoted
	case "bit", "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector",
		"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		col.form = formHex
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		switch charset {
		case "utf8mb4", "utf8mb3", "utf8", "ascii":
			col.form = formText
		case "", "binary":
			col.form = formHex
		default:
			var err error
			col.form = formLegacy
			col.charset, err = c.charset(ctx, charset)
			return col, err
		}
	case "json", "xmltype":
		col.form = formText
	default:
		return col, fmt.Errorf("type %s is not known", typ)
	}
	return col, nil
}
