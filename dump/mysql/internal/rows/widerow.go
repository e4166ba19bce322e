package rows

import (
	"context"
	"database/sql/driver"
	"hash"
	"math"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A wideRow is a row that is written as it is read. It is longer than a statement of several rows
// may be.
type wideRow struct {
	*rowReading
	hash   hash.Hash64
	length int64
	header string
}

// addWide writes a row with long values, by the numbers of their columns.
func (r *rowReading) addWide(ctx context.Context, values []driver.Value, long map[int]*longValue) error {
	if err := r.flush(ctx); err != nil {
		return err
	}
	w := &wideRow{rowReading: r, hash: dump.NewRowHash(), header: headerFor(r.table, values)}
	begin := "("
	for i := range r.table.Columns {
		if isUnwritable(&r.table.Columns[i], values[i]) {
			continue
		}
		if err := w.write(ctx, []byte(begin)); err != nil {
			return err
		}
		begin = ","
		var err error
		if v := long[i]; v != nil {
			err = v.writeTo(ctx, w)
		} else {
			var b []byte
			if b, err = appendValue(&r.table.Columns[i], nil, values[i]); err == nil {
				err = w.write(ctx, b)
			}
		}
		if err != nil {
			return err
		}
	}
	return w.end(ctx)
}

func (w *wideRow) write(ctx context.Context, p []byte) error {
	w.hash.Write(p)
	for len(p) > 0 {
		if w.b != nil && len(w.b.data) >= bufferSize {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
		if err := w.buffer(ctx); err != nil {
			return err
		}
		w.b.part, w.b.header = true, w.header
		w.b.first = w.b.first || w.length == 0
		n := min(len(p), bufferSize-len(w.b.data))
		w.b.data = append(w.b.data, p[:n]...)
		w.length += int64(n)
		p = p[n:]
	}
	return nil
}

func (w *wideRow) end(ctx context.Context) error {
	if err := w.write(ctx, []byte(")")); err != nil {
		return err
	}
	if w.length > math.MaxInt32 {
		return errLongRow(w.length)
	}
	sum := w.hash.Sum64()
	w.Rows++
	w.Hash += sum
	w.b.rows = append(w.b.rows, rowEnd{int32(len(w.b.data)), true, isLast(int(w.length), sum, transactionBits), w.header})
	return w.flush(ctx)
}
