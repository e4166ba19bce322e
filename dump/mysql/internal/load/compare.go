package load

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// addText adds the rows of an INSERT's text.
func addText(t *dump.Tally, text string) {
	for text != "" {
		row, rest, _ := strings.Cut(text, "\n")
		if rest != "" {
			row = strings.TrimSuffix(row, ",")
		}
		t.Add(unsafe.Slice(unsafe.StringData(row), len(row)))
		text = rest
	}
}

// count notes the rows of an INSERT: as many as the server took, and what they are by the statement
// that it took.
func (d *nativeDump) count(sql string, rows int64) {
	table, text := script.InsertedInto(sql)
	var added dump.Tally
	addText(&added, text)
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
	d.listed, d.trailer = nil, ""
	text := borrowed(sql)
	if name, ok := used(sql); ok {
		d.database = name
	}
	if script.IsInsert(text) {
		_, rows := script.InsertedInto(text)
		var read dump.Tally
		addText(&read, rows)
		d.count(text, read.Rows)
	}
}

// compare holds the rows of each table against the manifest, and that against the trailer.
func (d *nativeDump) compare() error {
	if err := d.readManifest(); err != nil {
		return err
	}
	var errs []error
	for _, t := range d.manifest {
		got := d.inserted[t.Name]
		errs = append(errs, t.Compare(got.Rows, got.Hash))
		delete(d.inserted, t.Name)
	}
	for name := range d.inserted {
		errs = append(errs, fmt.Errorf("table %s is not in the dump's manifest", name))
	}
	d.compared = &dump.Comparison{Tables: len(d.manifest), Rows: d.manifest.Rows()}
	return errors.Join(errs...)
}

// readManifest reads the lines before the trailer, which says how many there are.
func (d *nativeDump) readManifest() error {
	last, ok, err := dump.ParseTrailer("-- " + d.trailer)
	switch {
	case err != nil:
		return err
	case !ok:
		return errors.New("the dump's last line is not where it should be")
	case last.Tables > len(d.listed):
		return fmt.Errorf("the dump's manifest has %d tables, its last line says %d", len(d.listed), last.Tables)
	}
	for _, line := range d.listed[len(d.listed)-last.Tables:] {
		t, _, err := dump.ParseTable("-- " + line) // listed are those that begin as its lines do
		if err != nil {
			return fmt.Errorf("the dump's manifest: %w", err)
		}
		d.manifest = append(d.manifest, t)
	}
	return d.manifest.Compare(last)
}
