package mysql

import (
	"bytes"
	"slices"
	"strings"

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
				t.later, t.foreign = t.definition.addable(referred)
				t.joined = len(referred) > 0 || slices.ContainsFunc(t.definition.elements, isForeignKey)
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
	definition := t.definition.without(t.later).without(t.foreign).without(t.zoned)
	if !p.Qualified {
		definition = definition.within(t.db.name)
	}
	p.Stmt("%s", definition)
}

// addable returns the keys that can be added later so that the definition becomes the same: the last of those that are
// neither unique nor of a kind of their own, and that nothing needs from the beginning. Needed are the columns to which
// other tables' foreign keys refer, and that of AUTO_INCREMENT. The server keeps such keys in the order in which they
// came, behind the unique ones, and before those of virtual columns and expressions and then those of FULLTEXT.
//
// The table's own foreign keys need one too. Where that is added later they are as well, which takes no time.
func (d definition) addable(needed []string) (keys, foreign []string) {
	needed = slices.Clone(needed)
	var columns []string
	generated := false
	for _, e := range d.elements {
		if key, ok := parseForeignKey(e); ok {
			foreign, columns = append(foreign, e), append(columns, key.column)
		}
		if name, rest, ok := quote.CutName(e); ok && strings.Contains(rest, " AUTO_INCREMENT") {
			needed = append(needed, name)
		}
		generated = generated || strings.Contains(e, " GENERATED ALWAYS AS ")
	}
	for _, e := range d.elements {
		column, plain := keyColumn(e)
		switch {
		case plain && !hasColumn(needed, column):
			keys = append(keys, e)
		case plain, isOfExpression(e) && generated, isOtherKey(e):
			keys = nil // it would come before those that are left out
		}
	}
	for _, e := range keys {
		if column, _ := keyColumn(e); hasColumn(columns, column) {
			return keys, foreign
		}
	}
	return keys, nil
}

// hasColumn tells whether a column is in a list: servers keep the letters as they were typed each time.
func hasColumn(list []string, column string) bool {
	return slices.ContainsFunc(list, func(c string) bool { return strings.EqualFold(c, column) })
}

// without returns the definition without some of its elements.
func (d definition) without(elements []string) definition {
	d.elements = slices.DeleteFunc(slices.Clone(d.elements), func(e string) bool { return slices.Contains(elements, e) })
	return d
}

// addElements returns the statement that adds keys or constraints to a table, without the semicolon.
func addElements(table string, elements []string) string {
	return "ALTER TABLE " + table + "\n  ADD " + strings.Join(elements, ",\n  ADD ")
}

// addsKeys tells whether a statement is one of addElements, with keys.
func addsKeys(sql []byte) bool {
	rest, ok := bytes.CutPrefix(sql, []byte("ALTER TABLE "))
	if !ok || !bytes.HasPrefix(rest, []byte("`")) {
		return false
	}
	end := quote.End(string(rest), 0)
	return end > 0 && bytes.HasPrefix(rest[end+1:], []byte("\n  ADD KEY "))
}

// isOtherKey tells whether an element is a key that stands among the plain ones.
func isOtherKey(element string) bool {
	word, rest, _ := strings.Cut(element, " ")
	return strings.HasPrefix(rest, "KEY ") && word != "PRIMARY" && word != "UNIQUE" && word != "FULLTEXT"
}

// isOfExpression tells whether an element is a key of an expression, which makes a column of its own and so another table.
func isOfExpression(element string) bool {
	rest, ok := strings.CutPrefix(element, "KEY ")
	if ok {
		_, rest, ok = quote.CutName(rest)
	}
	return ok && (strings.HasPrefix(rest, " ((") || strings.Contains(quote.Emptied(rest), ",("))
}

// keyColumn returns the first column, quoted, of an element that is a plain key of columns.
func keyColumn(element string) (string, bool) {
	rest, ok := strings.CutPrefix(element, "KEY ")
	if !ok || isOfExpression(element) {
		return "", false
	}
	if _, rest, ok = quote.CutName(rest); !ok {
		return "", false
	}
	if rest, ok = strings.CutPrefix(rest, " ("); !ok {
		return "", false
	}
	column, _, ok := quote.CutName(rest)
	return column, ok
}

// A foreignKey is what matters here of one: its first column, and to which column of which table that refers. All are
// quoted.
type foreignKey struct {
	column   string
	database string // "": its own
	table    string
	refers   string
}

// parseForeignKey reads CONSTRAINT `c` FOREIGN KEY (`a`, …) REFERENCES `db`.`t` (`b`, …) ….
func parseForeignKey(element string) (k foreignKey, ok bool) {
	rest, ok := strings.CutPrefix(element, "CONSTRAINT ")
	if !ok {
		return k, false
	}
	if _, rest, ok = quote.CutName(rest); !ok {
		return k, false
	}
	if rest, ok = strings.CutPrefix(rest, " FOREIGN KEY ("); !ok {
		return k, false
	}
	k.column, rest, ok = quote.CutName(rest)
	for ok && strings.HasPrefix(rest, ", ") {
		_, rest, ok = quote.CutName(rest[len(", "):])
	}
	if !ok {
		return k, false
	}
	if rest, ok = strings.CutPrefix(rest, ") REFERENCES "); !ok {
		return k, false
	}
	if k.table, rest, ok = quote.CutName(rest); ok && strings.HasPrefix(rest, ".") {
		k.database = k.table
		k.table, rest, ok = quote.CutName(rest[1:])
	}
	if !ok {
		return k, false
	}
	if rest, ok = strings.CutPrefix(rest, " ("); !ok {
		return k, false
	}
	k.refers, _, ok = quote.CutName(rest)
	return k, ok
}

func isForeignKey(element string) bool {
	_, ok := parseForeignKey(element)
	return ok
}

// referenced returns the columns with which foreign keys begin on the other side, by the lower-case names of database
// and table.
func referenced(databases []*database) map[string][]string {
	columns := make(map[string][]string)
	for _, db := range databases {
		for _, t := range db.tables {
			for _, e := range t.definition.elements {
				if k, ok := parseForeignKey(e); ok {
					if k.database == "" {
						k.database = quote.Name(db.name)
					}
					table := strings.ToLower(k.database + "." + k.table)
					columns[table] = append(columns[table], k.refers)
				}
			}
		}
	}
	return columns
}
