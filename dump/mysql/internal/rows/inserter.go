package rows

import (
	"cmp"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// Statements end after a row whose hash says so: wherever rows are inserted or removed, the ends of
// all other statements stay.
const (
	statementBits   = 18 // a statement holds 2^18 bytes on average, and at most InsertLimit
	transactionBits = 26 // a transaction holds 2^26 bytes on average, on MySQL
)

// isLast tells whether a row ends its statement, or its transaction, of 2^bits bytes on average.
// The chance grows with the row's length, so that statements are alike in bytes.
func isLast(length int, hash uint64, bits int) bool {
	return length >= 1<<bits || hash < uint64(length)<<(64-bits)
}

// An inserter writes a table's rows as INSERT statements.
type inserter struct {
	p       *guard.Printer
	header  string // INSERT INTO … VALUES
	commits bool   // now and then: else one transaction is for all rows
	open    bool   // a statement has begun
	current string // its header, where that is another one
	size    int    // bytes of its rows
	longest int    // bytes of the longest row
	part    int    // bytes of a wide row so far
	begun   bool   // a transaction has begun
}

// add writes the rows of a buffer.
func (w *inserter) add(b *rowBuffer) {
	if b.part {
		w.addPart(b)
		return
	}
	from, begin, end := 0, 0, 0 // unwritten; the row; the row before
	for i, r := range b.rows {
		length := int(r.end) - begin
		w.longest = max(w.longest, length)
		if w.open && (w.size+length > script.InsertLimit || r.header != w.current) {
			w.p.Out.Write(b.data[from:end])
			from = begin
			w.close()
		}
		switch {
		case !w.open:
			w.begin(r.header)
		case i == 0:
			w.p.Out.WriteString(script.RowGap)
		}
		w.size += length + len(script.RowGap)
		begin, end = int(r.end)+len(script.RowGap), int(r.end)
		if r.last {
			w.p.Out.Write(b.data[from:end])
			from = begin
			w.close()
			if r.committed && w.commits {
				w.commit()
			}
		}
	}
	if from < end {
		w.p.Out.Write(b.data[from:end])
	}
}

// addPart writes a part of a wide row, which is a statement of its own.
func (w *inserter) addPart(b *rowBuffer) {
	if b.first {
		w.close()
		w.begin(b.header)
	}
	w.p.Out.Write(b.data)
	w.part += len(b.data)
	if len(b.rows) == 0 {
		return
	}
	w.longest, w.part = max(w.longest, w.part), 0
	w.close()
	if b.rows[0].committed && w.commits {
		w.commit()
	}
}

// begin begins a statement, by its own header if it has one, and a transaction where none has
// begun.
func (w *inserter) begin(header string) {
	if !w.begun {
		w.p.Out.WriteString("START TRANSACTION;\n")
		w.begun = true
	}
	w.current = header
	w.p.Out.WriteString(cmp.Or(header, w.header))
	w.open, w.size = true, 0
}

// close ends the statement that has begun, if one has.
func (w *inserter) close() {
	if w.open {
		w.p.Out.WriteString(";\n")
		w.open = false
	}
}

// commit ends the transaction that has begun, if one has.
func (w *inserter) commit() {
	if w.begun {
		w.p.Out.WriteString("COMMIT;\n")
		w.begun = false
	}
}
