package load

import (
	"errors"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// addRows adds the rows that script.InsertedInto returns.
func addRows(t *dump.Tally, rows string) {
	for row := range script.Lines(bytesOf(rows)) {
		t.Add(row)
	}
}

// count notes the rows of an INSERT: as many as the server took, and what they are by the statement
// that it took.
func (d *nativeDump) count(sql string, rows int64) {
	table, text := script.InsertedInto(sql)
	var added dump.Tally
	addRows(&added, text)
	if d.database != "" {
		table = quote.Name(d.database) + "." + table
	} else {
		table = strings.Clone(table)
	}
	d.counting.Lock()
	defer d.counting.Unlock()
	sum := d.inserted[table]
	d.inserted[table] = dump.Tally{Rows: sum.Rows + rows, Hash: sum.Hash + added.Hash}
}

// read takes note of the rows that a dump has, without a server.
func (d *nativeDump) read(sql []byte) {
	text := borrowed(sql)
	if name, ok := script.Used(sql); ok {
		d.database = name
	}
	if script.IsInsert(text) {
		_, rows := script.InsertedInto(text)
		var read dump.Tally
		addRows(&read, rows)
		d.count(text, read.Rows)
	}
}

// compare holds the rows of each table against the manifest.
func (d *nativeDump) compare(manifest dump.Manifest) error {
	var errs []error
	for _, t := range manifest {
		got := d.inserted[t.Name]
		errs = append(errs, t.Compare(got.Rows, got.Hash))
		delete(d.inserted, t.Name)
	}
	for name := range d.inserted {
		errs = append(errs, fmt.Errorf("table %s is not in the dump's manifest", name))
	}
	d.compared = &dump.Comparison{Tables: len(manifest), Rows: manifest.Rows(), Of: manifest}
	return errors.Join(errs...)
}
