package catalog

import (
	"context"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// A Key is a unique key without NULLs: an order of the rows in which each has its place.
type Key struct {
	Name    string   // quoted
	Columns []string // quoted
	Desc    []bool
	Numeric bool // the first column is an integer
	Ordered bool // the server keeps it in order: MariaDB has hashes alone of a unique key that is too long
}

// readKeys finds the key by which each table's rows leave.
func (c *Reader) readKeys(ctx context.Context, db *Database, tables []*Table, condition string) error {
	rows, err := c.Conn.List(ctx, `SELECT table_name AS tab, index_name AS name, column_name AS col, sub_part AS part, nullable, collation AS direction, index_type AS type
		FROM information_schema.statistics WHERE non_unique = 0 AND `+c.Conn.DatabaseIs("table_schema", db.Name)+condition+` ORDER BY table_name, index_name, seq_in_index`)
	if err != nil {
		return err
	}
	type candidate struct {
		Key
		unfit bool
	}
	found := make(map[string]map[string]*candidate) // by quoted names of table and key
	for _, r := range rows {
		tab, name := quote.Name(r["tab"]), quote.Name(r["name"])
		keys := found[tab]
		if keys == nil {
			keys = make(map[string]*candidate)
			found[tab] = keys
		}
		k := keys[name]
		if k == nil {
			k = &candidate{Key: Key{Name: name, Ordered: r["type"] == "BTREE"}}
			keys[name] = k
		}
		k.Columns = append(k.Columns, quote.Name(r["col"]))
		k.Desc = append(k.Desc, r["direction"] == "D")
		k.unfit = k.unfit || !r.Has("col") || r.Has("part") || r["nullable"] == "YES"
	}
	for _, t := range tables {
		// The server lists the keys of a definition so that the first that fits is the one by which
		// InnoDB stores the rows.
		for _, name := range t.Definition.UniqueKeys() {
			k := found[t.Name][name]
			if k == nil || k.unfit {
				continue
			}
			for _, col := range t.Columns {
				if col.Name == k.Columns[0] {
					k.Numeric = col.integer
				}
			}
			if t.History && !slices.Contains(k.Columns, t.period[1].name) { // the server shows that it is in the key only to who put it there
				k.Columns, k.Desc = append(k.Columns, t.period[1].name), append(k.Desc, false)
			}
			t.Key = &k.Key
			break
		}
	}
	return nil
}
