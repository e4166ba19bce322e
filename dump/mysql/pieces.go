package mysql

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A piece is a part of a table's rows, those for which the conditions hold. The pieces of a
// table, one after another, are its rows in their order, wherever the cuts are.
type piece struct {
	table      *table
	conditions []string
}

// selected are the expressions that are asked of the server for each row: those of the columns.
func selected(t *table) []string {
	if len(t.columns) == 0 { // a table of generated columns has rows all the same
		return []string{"NULL"}
	}
	columns := make([]string, len(t.columns))
	for i, c := range t.columns {
		columns[i] = c.read
	}
	return columns
}

// queryOf is one for the rows for which the conditions hold, in their order. where says where what is selected goes.
func queryOf(t *table, selected []string, where string, conditions []string) string {
	query := "SELECT " + strings.Join(selected, ", ") + where + t.source()
	if len(conditions) > 0 {
		query += " WHERE " + strings.Join(conditions, " AND ")
	}
	if t.key != nil {
		query += " ORDER BY " + orderBy(t.key)
	}
	return query
}

// source is where a query finds all the table's rows.
func (t *table) source() string {
	var b strings.Builder
	b.WriteString(" FROM " + t.qualified())
	if t.history {
		b.WriteString(" FOR SYSTEM_TIME ALL")
	}
	stored := strings.EqualFold(t.engine, "InnoDB")
	switch {
	case t.key == nil:
		// An index might hold all that is asked for, and be in another order.
		b.WriteString(" USE INDEX ()")
	case stored:
		b.WriteString(" FORCE INDEX (" + t.key.name + ")")
	default: // which means nothing, but that it is no view: see hold.go
		b.WriteString(" USE INDEX FOR GROUP BY ()")
	}
	return b.String()
}

// orderBy is the key for ORDER BY.
func orderBy(k *key) string {
	list := make([]string, len(k.columns))
	for i, c := range k.columns {
		list[i] = c
		if k.desc[i] {
			list[i] += " DESC"
		}
	}
	return strings.Join(list, ", ")
}

// insertHead begins an INSERT statement.
func insertHead(t *table) string { return insertHeader(t.name, t.columns) }

func insertHeader(table string, columns []column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return script.InsertInto(table, names)
}

// pieceBytes is what a piece should hold, by the size of the table. Smaller
// pieces keep several connections busy at bounded memory, larger ones spare
// round trips.
const pieceBytes = 4 << 20

// pieces cuts a table's rows into pieces: a large one's, where its key begins
// with a whole number, at values between which the server expects that many
// rows. Which values these are changes nothing in the stream.
func cutPieces(ctx context.Context, c *catalog, t *table) ([]piece, error) {
	whole := []piece{{table: t}}
	if t.bytes < 2*pieceBytes || !t.transactional || t.key == nil || !t.key.numeric || t.key.desc[0] {
		return whole, nil
	}
	first := t.key.columns[0]
	rows, err := c.conn.List(ctx, "SELECT MIN("+first+") AS low, MAX("+first+") AS high FROM "+t.qualified())
	if err != nil || len(rows) == 0 || !rows[0].Has("low") {
		return whole, err
	}
	low, ok1 := new(big.Int).SetString(rows[0]["low"], 10)
	high, ok2 := new(big.Int).SetString(rows[0]["high"], 10)
	if !ok1 || !ok2 {
		return whole, nil
	}
	high.Add(high, big.NewInt(1))
	cutter := &cutter{conn: c.conn, table: t, most: max(1, t.rows*pieceBytes/t.bytes)}
	if err := cutter.cut(ctx, low, high, t.rows); err != nil {
		return nil, err
	}
	var list []piece
	for i := range len(cutter.cuts) + 1 {
		var conditions []string // the first piece has no beginning and the last no end: nothing is left out
		if i > 0 {
			conditions = append(conditions, first+" >= "+cutter.cuts[i-1])
		}
		if i < len(cutter.cuts) {
			conditions = append(conditions, first+" < "+cutter.cuts[i])
		}
		list = append(list, piece{t, conditions})
	}
	c.debug(fmt.Sprintf("rows of %s: in %d pieces", t.label, len(list)))
	return list, nil
}

// A cutter halves the range of a table's keys until each part is expected to
// hold few enough rows.
type cutter struct {
	conn  *server.Conn
	table *table
	most  int64 // rows
	cuts  []string
}

func (c *cutter) cut(ctx context.Context, low, high *big.Int, rows int64) error {
	middle := new(big.Int).Add(low, high)
	middle.Rsh(middle, 1)
	if rows <= c.most || middle.Cmp(low) <= 0 {
		return nil
	}
	left, err := c.expected(ctx, low, middle)
	if err != nil {
		return err
	}
	right, err := c.expected(ctx, middle, high)
	if err != nil {
		return err
	}
	if err := c.cut(ctx, low, middle, left); err != nil {
		return err
	}
	// A cut before or after nothing is none.
	if left > 1 && right > 1 {
		c.cuts = append(c.cuts, middle.String())
	}
	return c.cut(ctx, middle, high, right)
}

// expected is how many rows the server expects from low on and below high.
func (c *cutter) expected(ctx context.Context, low, high *big.Int) (int64, error) {
	explain := "EXPLAIN FORMAT=TRADITIONAL "
	if c.conn.IsMariaDB() {
		explain = "EXPLAIN "
	}
	t := c.table
	key := t.key.columns[0]
	rows, err := c.conn.List(ctx, fmt.Sprintf("%sSELECT %s FROM %s FORCE INDEX (%s) WHERE %[2]s >= %[5]s AND %[2]s < %[6]s", explain, key, t.qualified(), t.key.name, low, high))
	if err != nil {
		return 0, err
	}
	var n int64
	for _, r := range rows {
		rows, _ := strconv.ParseInt(r["rows"], 10, 64) // NULL where the server knows that there are none
		n += rows
	}
	return n, nil
}

// qualified is the table's name behind its database's.
func (t *table) qualified() string { return quote.Name(t.db.name) + "." + t.name }
