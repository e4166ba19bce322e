package rows

import (
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
)

// largeTable is the size of a table's rows, in bytes of the dump, from which on its indexes come
// after them. What the server says of a table's size will not do: it is an estimate, and equal data
// would make unequal dumps.
const largeTable = 8 << 20

// A beginning is that of a table's rows, held back until it is known whether the table is large:
// before its first row comes its definition, with or without the keys that can be added later.
type beginning struct {
	rows  *Writer
	p     *guard.Printer
	table *catalog.Table
	name  string // in the manifest
	to    guard.Output
}

// holdBack holds back what the printer writes from now on, until it is largeTable bytes or end is
// called.
func (w *Writer) holdBack(p *guard.Printer, t *catalog.Table, name string) *beginning {
	b := &beginning{rows: w, p: p, table: t, name: name, to: p.Out}
	if len(t.Later) == 0 {
		b.create()
		return b
	}
	w.held = w.held[:0]
	p.Out = b
	return b
}

// end writes what is held back, with all of the table's keys in its definition.
func (b *beginning) end() {
	if b.p.Out == b {
		b.table.Later, b.table.Foreign = nil, nil
		b.release()
	}
}

// release writes the definition and what is held back, and holds nothing back from now on.
func (b *beginning) release() {
	b.p.Out = b.to
	b.create()
	b.to.Write(b.rows.held)
}

// create writes the definition, behind which the part of the rows begins.
func (b *beginning) create() {
	catalog.CreateTable(b.p, b.table)
	b.p.Begin(dump.Rows, b.name)
}

// Begin is of no use while the beginning is held back: that is of one part.
func (b *beginning) Begin(kind dump.Kind, name string) { b.to.Begin(kind, name) }

func (b *beginning) Write(text []byte) (int, error) {
	if len(text) == 0 {
		return b.to.Write(text) // for its error
	}
	if len(b.rows.held)+len(text) < largeTable {
		b.rows.held = append(b.rows.held, text...)
		return len(text), nil
	}
	b.release()
	return b.to.Write(text)
}

func (b *beginning) WriteString(text string) (int, error) { return b.Write([]byte(text)) }
