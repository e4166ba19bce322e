package terminal

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// A Table writes rows in columns.
type Table struct{ w *tabwriter.Writer }

// NewTable makes a table that is written to w once it is flushed.
func NewTable(w io.Writer) Table { return Table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

// Row writes a row. Its cells may hold what others have chosen.
func (t Table) Row(cells ...string) {
	for i, cell := range cells {
		cells[i] = Visible(cell)
	}
	fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

// Flush writes the table.
func (t Table) Flush() { t.w.Flush() }
