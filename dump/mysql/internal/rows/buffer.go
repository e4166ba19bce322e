package rows

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/semaphore"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// rowBuffer holds rows on their way from a connection to the writer.
type rowBuffer struct {
	data   []byte // rows, each followed by RowGap
	rows   []rowEnd
	part   bool        // of one row, that is wide: the end of it is in rows of the last
	first  bool        // of its parts
	header string      // of its statement, as in rows
	home   *rowBuffers // where it goes back to
	weight int64       // of what it holds, while the writer has it
}

type rowEnd struct {
	end             int32  // in the buffer, before RowGap
	last, committed bool   // of its statement, of its transaction
	header          string // of its statement, where that is not the table's: see unwritable
}

// add appends a row of t.
func (b *rowBuffer) add(t *catalog.Table, values []driver.Value, sum *dump.Tally) error {
	begin := len(b.data)
	b.grow(values)
	data, err := appendRow(t, b.data, values)
	if err != nil {
		return err
	}
	row := data[begin:]
	if len(data) > math.MaxInt32 {
		return errLongRow(int64(len(row)))
	}
	hash := dump.RowHash(row)
	sum.Rows++
	sum.Hash += hash
	b.rows = append(b.rows, rowEnd{int32(len(data)), isLast(len(row), hash, statementBits), isLast(len(row), hash, transactionBits), headerFor(t, values)})
	b.data = append(data, script.RowGap...)
	return nil
}

func errLongRow(length int64) error {
	return fmt.Errorf("a row of %d bytes is longer than any server takes", length)
}

// grow makes room for a long row at once, where appending would copy it several times.
func (b *rowBuffer) grow(values []driver.Value) {
	size := 0
	for _, v := range values {
		if text, ok := v.([]byte); ok {
			size += 2 * len(text) // in hexadecimal digits, or all escaped
		}
	}
	if size > bufferSize {
		b.data = slices.Grow(b.data, size+16*len(values))
	}
}

const (
	bufferSize       = 256 << 10 // bytes of rows, at least, unless there are no more
	readAheadBuffers = 16        // that a connection may have filled before the writer gets to them
)

// rowBuffers are those that one connection owns. How far it runs ahead of the writer is bounded by
// their number, and where rows are long by their bytes.
type rowBuffers struct {
	made int
	free chan *rowBuffer
	room *semaphore.Weighted
}

func newRowBuffers() *rowBuffers {
	return &rowBuffers{free: make(chan *rowBuffer, readAheadBuffers), room: semaphore.NewWeighted(readAheadBuffers * bufferSize)}
}

// get returns an empty buffer, and waits for the writer where there is none.
func (l *rowBuffers) get(ctx context.Context) (*rowBuffer, error) {
	const size = bufferSize + bufferSize/4
	if l.made < readAheadBuffers && len(l.free) == 0 {
		l.made++
		return &rowBuffer{data: make([]byte, 0, size), home: l}, nil
	}
	select {
	case b := <-l.free:
		b.data, b.rows, b.part, b.first = b.data[:0], b.rows[:0], false, false
		if cap(b.data) > 4*bufferSize { // it held one long row
			b.data = make([]byte, 0, size)
		}
		return b, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// fill waits until there is room for what a buffer holds. One that holds more than all the room
// goes alone.
func (l *rowBuffers) fill(ctx context.Context, b *rowBuffer) error {
	b.weight = int64(min(len(b.data), readAheadBuffers*bufferSize))
	if err := l.room.Acquire(ctx, b.weight); err != nil {
		return context.Cause(ctx)
	}
	return nil
}

// release gives a buffer back when it is written.
func (b *rowBuffer) release() {
	b.home.room.Release(b.weight)
	b.home.free <- b
}
