package rows

import (
	"context"
	"fmt"
	"math/big"
	"strconv"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A piece is a part of a table's rows, those for which the conditions hold. The pieces of a table,
// one after another, are its rows in their order, wherever the cuts are.
type piece struct {
	table      *catalog.Table
	conditions []string
}

func insertHeader(table string, columns []catalog.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return script.InsertInto(table, names)
}

// pieceBytes is what a piece should hold, by the size of the table. Smaller pieces keep several
// connections busy at bounded memory, larger ones spare round trips.
const pieceBytes = 4 << 20

// cutPieces cuts a table's rows into pieces: a large one's, where its key begins with a whole
// number, at values between which the server expects that many rows. Which values these are changes
// nothing in the stream.
func cutPieces(ctx context.Context, c *catalog.Reader, t *catalog.Table) ([]piece, error) {
	whole := []piece{{table: t}}
	if t.Bytes < 2*pieceBytes || !t.Transactional || t.Key == nil || !t.Key.Numeric || t.Key.Desc[0] {
		return whole, nil
	}
	first := t.Key.Columns[0]
	rows, err := c.Conn.List(ctx, "SELECT MIN("+first+") AS low, MAX("+first+") AS high FROM "+t.Qualified())
	if err != nil || len(rows) == 0 || !rows[0].Has("low") {
		return whole, err
	}
	low, ok1 := new(big.Int).SetString(rows[0]["low"], 10)
	high, ok2 := new(big.Int).SetString(rows[0]["high"], 10)
	if !ok1 || !ok2 {
		return whole, nil
	}
	high.Add(high, big.NewInt(1))
	cutter := &cutter{conn: c.Conn, table: t, most: max(1, t.Rows*pieceBytes/t.Bytes)}
	if err := cutter.cut(ctx, low, high, t.Rows); err != nil {
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
	c.Debug(fmt.Sprintf("rows of %s: in %d pieces", t.Label, len(list)))
	return list, nil
}

// A cutter halves the range of a table's keys until each part is expected to hold few enough rows.
type cutter struct {
	conn  *server.Conn
	table *catalog.Table
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
	key := t.Key.Columns[0]
	rows, err := c.conn.List(ctx, fmt.Sprintf("%sSELECT %s FROM %s FORCE INDEX (%s) WHERE %[2]s >= %[5]s AND %[2]s < %[6]s", explain, key, t.Qualified(), t.Key.Name, low, high))
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
