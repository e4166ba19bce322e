package mysql

import (
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// Secondary indexes are built after the rows: sorted once instead of entered row by row. The load of 1.5 million rows
// with two of them takes MariaDB 10.11 20.5 s so, 27.8 s otherwise. Tables that are not large have theirs from the
// beginning, as one more statement for each of them costs more than it gains.
//
// A load builds the indexes of a table while it loads the next one's rows; but not where foreign keys join the table
// with others: statements that change or make these take locks on all of them, and MySQL lets that end in a deadlock.
// Theirs come after all tables.

// largeTable is the size of a table's rows, in bytes of the dump, from which on its indexes come after them. What the
// server says of a table's size will not do: it is an estimate, and equal data would make unequal dumps.
const largeTable = 8 << 20

// later finds for each table of the databases which of its keys can be added after its rows. They are if the table is
// large.
func later(databases []*database) {
	needed := referenced(databases)
	for _, db := range databases {
		for _, t := range db.tables {
			if strings.EqualFold(t.engine, "InnoDB") && !t.versioned && t.zone == "" {
				referred := needed[strings.ToLower(t.qualified())]
				t.later, t.foreign = t.definition.Addable(referred)
				t.joined = len(referred) > 0 || slices.ContainsFunc(t.definition.Elements, ddl.IsForeignKey)
			}
		}
	}
}

// A beginning is that of a table's rows, held back until it is known whether the table is large: before its first row
// comes its definition, with or without the keys that can be added later.
type beginning struct {
	rows  *rowWriter
	p     *guard.Printer
	table *table
	to    guard.Output
}

// holdBack holds back what the printer writes from now on, until it is largeTable bytes or end is called.
func (w *rowWriter) holdBack(p *guard.Printer, t *table) *beginning {
	b := &beginning{rows: w, p: p, table: t, to: p.Out}
	if len(t.later) == 0 {
		createTable(p, t)
		return b
	}
	w.held = w.held[:0]
	p.Out = b
	return b
}

// end writes what is held back, with all of the table's keys in its definition.
func (b *beginning) end() {
	if b.p.Out == b {
		b.table.later, b.table.foreign = nil, nil
		b.release()
	}
}

// release writes the definition and what is held back, and holds nothing back from now on.
func (b *beginning) release() {
	b.p.Out = b.to
	createTable(b.p, b.table)
	b.to.Write(b.rows.held)
}

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

// createTable writes a table's definition, without what is added to it later.
func createTable(p *guard.Printer, t *table) {
	definition := t.definition.Without(t.later).Without(t.foreign).Without(t.zoned)
	if !p.Qualified {
		definition = definition.Within(t.db.name)
	}
	p.Stmt("%s", definition)
}

// referenced returns the columns with which foreign keys begin on the other side, by the lower-case names of database
// and table.
func referenced(databases []*database) map[string][]string {
	columns := make(map[string][]string)
	for _, db := range databases {
		for _, t := range db.tables {
			for _, e := range t.definition.Elements {
				if k, ok := ddl.ParseForeignKey(e); ok {
					if k.Database == "" {
						k.Database = quote.Name(db.name)
					}
					table := strings.ToLower(k.Database + "." + k.Table)
					columns[table] = append(columns[table], k.Refers)
				}
			}
		}
	}
	return columns
}
