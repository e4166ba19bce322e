package guard

import (
	"bytes"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
)

// No statement and no comment gets past the printer that clients read as something else.
func TestPrinterRefuses(t *testing.T) {
	for _, sql := range []string{"SELECT 1; DROP TABLE x", "SELECT '", "\\! x", "SELECT 1 \\! x", "system x", "SELECT '\x00'", "DELIMITER x", "", "-- x"} {
		var b bytes.Buffer
		p := &Printer{Out: dump.NewWriter(&b, note.One)}
		p.Stmt("%s", sql)
		if p.Err() == nil {
			t.Errorf("%q was written", sql)
		}
	}
	for _, text := range []string{"a\nb", "a\rb", "ü", "\x1b"} {
		p := &Printer{Out: dump.NewWriter(&bytes.Buffer{}, note.One)}
		if p.Comment("%s", text); p.Err() == nil {
			t.Errorf("the comment %q was written", text)
		}
	}
	odd := "x', a = '"
	for _, s := range []Settings{{Charset: odd}, {Charset: "latin1", Collation: odd}, {Charset: "latin1", SQLMode: &odd}, {Charset: "latin1", TimeZone: odd}} {
		p := &Printer{Out: dump.NewWriter(&bytes.Buffer{}, note.One), session: Home()}
		if p.In(s); p.Err() == nil {
			t.Errorf("settings %+v were written", s)
		}
	}
}
