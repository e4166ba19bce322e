package load

import (
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

func TestInsertedInto(t *testing.T) {
	for _, tt := range []struct {
		sql, table string
		rows       []string
	}{
		{"INSERT INTO `t` (`a`) VALUES\n(1)", "`t`", []string{"(1)"}},
		{"INSERT INTO `t` (`a`) VALUES\n(1),\n(','),\n('\\n),')", "`t`", []string{"(1)", "(',')", "('\\n),')"}},
		{"INSERT INTO `t` () VALUES\n(),\n()", "`t`", []string{"()", "()"}},
		{"INSERT INTO `a``\nb` (`c`, `) VALUES\n(1`) VALUES\n(1,2)", "`a``\nb`", []string{"(1,2)"}},
		{"INSERT INTO `t` SELECT 1", "`t`", nil},
		{"INSERT INTO `t", "", nil},
	} {
		table, text := script.InsertedInto(tt.sql)
		var got dump.Tally
		addRows(&got, text)
		if err := withRows(tt.rows...).Compare(got.Rows, got.Hash); err != nil || table != tt.table {
			t.Errorf("%q: table %q, %v; want %q", tt.sql, table, err, tt.table)
		}
	}
}

// withRows is what a manifest says of a table with these rows.
func withRows(rows ...string) dump.Table {
	var t dump.Tally
	for _, r := range rows {
		t.Add([]byte(r))
	}
	return t.Of("")
}
