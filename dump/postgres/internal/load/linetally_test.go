package load

import (
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// However the rows are cut into pieces, they are the same rows.
func TestLineTally(t *testing.T) {
	rows := []string{"1\tx", "", "a longer row", `\N`, "the last"}
	want := dump.Table{Name: "t", Rows: int64(len(rows))}
	for _, row := range rows {
		want.Hash += dump.RowHash([]byte(row))
	}
	text := strings.Join(rows, "\n") + "\n"
	for size := 1; size <= len(text); size++ {
		var got lineTally
		for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
			got.Write([]byte(rest[:min(size, len(rest))]))
		}
		if err := want.Compare(got.Rows, got.Hash); err != nil {
			t.Errorf("in pieces of %d bytes: %v", size, err)
		}
	}
}
