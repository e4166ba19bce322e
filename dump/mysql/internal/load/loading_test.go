package load

import (
	"errors"
	"iter"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
)

func sequence(list ...dump.Item) iter.Seq2[dump.Item, error] {
	return func(yield func(dump.Item, error) bool) {
		for _, item := range list {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Items that begin or end otherwise than a whole dump's are none, before any server is asked, and
// what they lead to is looked at.
func TestItemsOfNoDump(t *testing.T) {
	head := dump.Item{Head: &dump.Head{Form: note.One, Server: "MariaDB 10.11.14"}}
	rows := dump.Item{Kind: dump.Rows, Table: "`t`", Line: 3, Blocks: func(yield func([]byte, error) bool) {
		_ = yield([]byte("INSERT INTO `t` (`a`) VALUES\n(1)"), nil) && yield([]byte("INSERT INTO `t` (`a`) VALUES\n(2)"), nil)
	}}
	whole := dump.Item{Contents: &dump.Contents{Tables: dump.Manifest{withRows("(1)", "(2)")}}}
	whole.Contents.Tables[0].Name = "`t`"
	cfg := Config{Database: "app"}
	if found, err := Verify(cfg, sequence(head, rows, whole)); err != nil || found.Longest != 0 {
		t.Fatalf("a whole one: %+v, %v", found, err)
	}
	for name, c := range map[string]struct {
		items []dump.Item
		want  string
	}{
		"no head":         {[]dump.Item{rows, whole}, errHeadless.Error()},
		"nothing":         {nil, dump.ErrTruncated.Error()},
		"no end":          {[]dump.Item{head, rows}, dump.ErrTruncated.Error()},
		"without rows":    {[]dump.Item{head, whole}, "table `t` has 0 rows, the dump's manifest says 2"},
		"a part of rows":  {[]dump.Item{head, rows, rows, whole}, "table `t` has 4 rows, the dump's manifest says 2"},
		"leads elsewhere": {[]dump.Item{head, {Kind: dump.Definitions, Line: 7, Text: "DROP DATABASE `b`"}, whole}, "line 7: DROP DATABASE `b`: " + dump.ErrElsewhere.Error()},
		"another engine":  {[]dump.Item{{Head: &dump.Head{Form: "postgres"}}, whole}, "this is a dump of postgres, not of mysql"},
		"several":         {[]dump.Item{{Head: &dump.Head{Form: note.Several}}, whole}, "into app: " + ErrSeveral.Error()},
	} {
		if _, err := Verify(cfg, sequence(c.items...)); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v; want %s", name, err, c.want)
		}
	}
	failure := errors.New("the stream is cut")
	failing := func(yield func(dump.Item, error) bool) {
		for item := range sequence(head, rows) {
			if !yield(item, nil) {
				return
			}
		}
		yield(dump.Item{}, failure)
	}
	if _, err := Verify(cfg, failing); !errors.Is(err, failure) {
		t.Errorf("a stream that fails: %v", err)
	}
}
