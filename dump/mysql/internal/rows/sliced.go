package rows

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/value"
)

// A row is a packet of the protocol, which the driver hands over whole after it has copied it
// several times: one of 100 MB took 890 MB of memory. So values that are long come in slices. The
// query of the rows has NULL in their places, and their lengths behind the columns. A row that has
// one ends the query; its long values go into variables of the session, which the server keeps, and
// come from there slice by slice; and the query begins anew behind that row. All that is in the
// transaction that has read the rows before, so that nothing can have changed meanwhile.
//
// What is written of a row is the same however it was read.

const (
	// wideValue is the length, in bytes, above which a value may be read in slices. A row with one
	// is longer than a statement of several rows is, so it has one of its own.
	wideValue = script.InsertLimit
	// wideTogether is what the long values of a row may take together that are read at once, where
	// few of its columns can have one.
	wideTogether = 4 << 20
	// slicesOfValue is how many slices a value is read in, as far as none is shorter than
	// shortSlice: the server takes all of the value into its hands for each.
	slicesOfValue = 4
	shortSlice    = 4 << 20
	// pageBytes is what the rows of one query should take: what follows a wide row is read twice.
	pageBytes = 16 << 20
	// fewestOfPage and mostOfPage are the least and the most rows of one query, as long as none is
	// wide.
	fewestOfPage = 64
	mostOfPage   = 1 << 20
	// recountBytes bounds what the server passes over once more for rows that only counting finds.
	recountBytes = 4 << 30
)

// mayBeWide tells whether a value of the column can be so long that it matters.
func mayBeWide(c catalog.Column) bool { return c.Size != "" }

// inSlices tells whether rows of the table can be read in slices, and have columns for which that
// matters. With other engines than InnoDB two queries may see two states of a row, or sort all rows
// for each of them. Of a key that does not keep the rows in order each query sorts them all, and by
// the beginnings of long values only: those that begin alike come in another order each time, and
// rows would be lost between two queries.
func inSlices(t *catalog.Table) bool {
	return strings.EqualFold(t.Engine, "InnoDB") && t.Transactional && !t.History && (t.Key == nil || t.Key.Ordered) &&
		slices.ContainsFunc(t.Columns, mayBeWide)
}

// wideLimit is the length of a value, in bytes, above which it is read in slices.
func wideLimit(t *catalog.Table) int {
	n := 0
	for _, c := range t.Columns {
		if mayBeWide(c) {
			n++
		}
	}
	return max(wideValue, wideTogether/n)
}

// sliced are the expressions that are asked of the server for each row: those of the columns, with
// NULL for a value that is to be read in slices, and behind them, for each column that may have
// such a value, its length.
func sliced(t *catalog.Table) []string {
	limit := wideLimit(t)
	var values, lengths []string
	for _, c := range t.Columns {
		if !mayBeWide(c) {
			values = append(values, c.Read)
			continue
		}
		values = append(values, fmt.Sprintf("IF(%s > %d, NULL, %s)", c.Size, limit, c.Read))
		lengths = append(lengths, fmt.Sprintf("IF(%s > %d, LENGTH(%s), NULL)", c.Size, limit, c.Name))
	}
	return append(values, lengths...)
}

// A slicedReading reads a piece's rows so.
type slicedReading struct {
	*rowReading
	from   place // of the query that runs
	most   int64 // rows that it may bring
	usual  int64 // what most is where no row is wide, as far as the statistics tell
	passed int64 // bytes of the rows behind from.after that were read
	again  int64 // bytes that the server has passed over once more
}

func newSlicedReading(r *rowReading) *slicedReading {
	if t := r.table; t.Rows > 0 && t.Bytes > 0 {
		usual := rowsOfPage(t.Rows, t.Bytes)
		return &slicedReading{rowReading: r, most: usual, usual: usual}
	}
	return &slicedReading{rowReading: r, most: fewestOfPage, usual: mostOfPage} // what was read tells more
}

// rowsOfPage is how many rows one query should bring, of which so many take so many bytes.
func rowsOfPage(rows, bytes int64) int64 {
	return min(max(fewestOfPage, rows*pageBytes/max(1, bytes)), mostOfPage)
}

// all reads the rows.
func (r *slicedReading) all(ctx context.Context) error {
	selected := sliced(r.table)
	for {
		if r.from.skip > 0 {
			if r.again += r.passed; r.again > recountBytes {
				return r.rest(ctx)
			}
		}
		query := queryOf(r.table, selected, "", r.from.conditions(r.conditions))
		query += fmt.Sprintf(" LIMIT %d OFFSET %d", r.most, r.from.skip)
		to, more, err := r.page(ctx, query, len(selected))
		if err != nil || !more {
			return err
		}
		if r.from.after != to.after {
			r.passed = 0
		}
		r.from = to
	}
}

// rest reads the rows that are left, each as a whole.
func (r *slicedReading) rest(ctx context.Context) error {
	query := queryOf(r.table, selected(r.table), "", r.from.conditions(r.conditions))
	return r.whole(ctx, fmt.Sprintf("%s LIMIT %d OFFSET %d", query, int64(1)<<62, r.from.skip))
}

// page reads rows until it has as many as it may, or one that is wide, and returns the place behind
// the last. more is false where there is none behind that.
func (r *slicedReading) page(ctx context.Context, query string, columns int) (to place, more bool, err error) {
	rows, err := r.query(ctx, query, columns)
	if err != nil {
		return to, false, err
	}
	closed := false
	defer func() {
		if !closed {
			err = cmp.Or(err, rows.Close())
		}
	}()
	values := make([]driver.Value, columns)
	n := len(r.table.Columns)
	read := int64(0)
	for count := int64(1); ; count++ {
		if err := rows.Next(values); err == io.EOF {
			return to, false, nil
		} else if err != nil {
			return to, false, err
		}
		for _, v := range values[:n] {
			if text, ok := v.([]byte); ok {
				read += int64(len(text))
				r.passed += int64(len(text))
			}
		}
		if !slices.ContainsFunc(values[n:], func(v driver.Value) bool { return v != nil }) {
			if err := r.add(ctx, values[:n]); err != nil {
				return to, false, err
			}
			if count == r.most {
				r.most = min(2*r.most, r.usual, rowsOfPage(count, read))
				return r.from.behind(r.table, values[:n], count), true, nil
			}
			continue
		}
		for i, v := range values {
			if text, ok := v.([]byte); ok {
				values[i] = slices.Clone(text) // it is the driver's
			}
		}
		closed = true
		if err := rows.Close(); err != nil {
			return to, false, err
		}
		if err := r.wide(ctx, values[:n], values[n:], count); err != nil {
			return to, false, err
		}
		r.most = max(1, r.most/8)
		return r.from.behind(r.table, values[:n], count), true, nil
	}
}

// wide reads a row with long values, the nth from r.from on. lengths are of the values of the
// columns that may have one, or nil where such a column does not.
func (r *slicedReading) wide(ctx context.Context, values, lengths []driver.Value, n int64) error {
	long := make(map[int]*longValue)
	var selected, variables []string
	total, next := int64(0), 0
	for i, c := range r.table.Columns {
		if !mayBeWide(c) {
			continue
		}
		length, err := asLength(lengths[next])
		if next++; err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		if length < 0 {
			continue
		}
		v := &longValue{rowReading: r.rowReading, column: c, variable: fmt.Sprintf("@breaking_backups_%d", i), length: length}
		long[i] = v
		total += length
		bytes := c.Name
		if c.Form != value.Hex {
			bytes = "CONVERT(" + c.Name + " USING binary)" // CAST would refuse what is longer than a packet
		}
		selected, variables = append(selected, bytes), append(variables, v.variable)
	}
	r.passed += total
	where := r.conditions
	one := ""
	if itself, ok := rowItself(r.table, values); ok {
		where = append(slices.Clone(where), itself)
	} else {
		where = r.from.conditions(where)
		one = fmt.Sprintf(" LIMIT 1 OFFSET %d", r.from.skip+n-1)
		r.again += r.passed
	}
	if err := r.exec(ctx, queryOf(r.table, selected, " INTO "+strings.Join(variables, ", "), where)+one); err != nil {
		return err
	}
	if total < script.InsertLimit { // as only the size of MySQL's documents is not that of their text
		for i, v := range long {
			var err error
			if values[i], err = v.bytes(ctx); err != nil {
				return err
			}
		}
		if err := r.add(ctx, values); err != nil {
			return err
		}
	} else if err := r.addWide(ctx, values, long); err != nil {
		return err
	}
	return r.exec(ctx, "SET "+strings.Join(variables, " = NULL, ")+" = NULL")
}

// asLength returns a length that the server has sent, or -1 for NULL.
func asLength(v driver.Value) (int64, error) {
	switch n := v.(type) {
	case nil:
		return -1, nil
	case int64:
		if n > 0 {
			return n, nil
		}
	case uint64:
		if n < 1<<40 {
			return int64(n), nil
		}
	}
	return 0, fmt.Errorf("the server sent %v for a length", v)
}
