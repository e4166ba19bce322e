package load

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// What reads a dump goes by its items, wherever they come from.
func TestVerifyOfItemsMadeByHand(t *testing.T) {
	head := dump.Item{Head: &dump.Head{Form: script.Cluster, Databases: []string{"one", "two"}}}
	create := dump.Item{Kind: dump.Definitions, Database: "one", Line: 3, Text: "CREATE TABLE s.t (a integer);"}
	rowsIn := func(database string) dump.Item {
		return dump.Item{Kind: dump.Rows, Database: database, Table: database + ".s.t", Line: 4, Text: "COPY s.t (a) FROM stdin;", Blocks: read(strings.NewReader("1\n2\n"))}
	}
	connect := func(database string) dump.Item {
		return dump.Item{Kind: dump.Definitions, Database: database, Line: 2, Text: script.ConnectCommand(database)}
	}
	end := func(databases ...string) dump.Item {
		contents := &dump.Contents{}
		for _, database := range databases {
			var rows dump.Tally
			rows.Add([]byte("2"))
			rows.Add([]byte("1"))
			contents.Tables = append(contents.Tables, rows.Of(database+".s.t"))
		}
		return dump.Item{Contents: contents}
	}
	broken := errors.New("it broke")
	for name, tt := range map[string]struct {
		items []dump.Item
		fails error // of the sequence, at its end
		want  string
	}{
		"a dump":                     {items: []dump.Item{head, connect("one"), create, rowsIn("one"), end("one")}},
		"of two databases":           {items: []dump.Item{head, connect("one"), create, rowsIn("one"), connect("two"), rowsIn("two"), end("one", "two")}},
		"that only its items part":   {items: []dump.Item{head, create, rowsIn("one"), rowsIn("two"), end("one", "two")}},
		"without the rows of one":    {items: []dump.Item{head, create, rowsIn("two"), end("one", "two")}, want: "the manifest lists 2 tables, the dump had rows for 1"},
		"the rows of another":        {items: []dump.Item{head, create, rowsIn("two"), end("one")}, want: `the dump has rows of "s"."t" where its manifest lists table one.s.t`},
		"into another database":      {items: []dump.Item{head, connect("three"), end()}, want: `line 2: \connect three: `},
		"rows for another database":  {items: []dump.Item{head, rowsIn("three"), end("three")}, want: `line 4: \connect three: `},
		"without its end":            {items: []dump.Item{head, create}, want: dump.ErrTruncated.Error()},
		"without its head":           {items: []dump.Item{create, end()}, want: dump.ErrNotADump.Error()},
		"broken behind its rows":     {items: []dump.Item{head, rowsIn("one")}, fails: broken, want: broken.Error()},
		"of one database, elsewhere": {items: []dump.Item{{Head: &dump.Head{Form: script.OneDatabase}}, connect("one"), end()}, want: "it is of one database"},
	} {
		t.Run(name, func(t *testing.T) {
			items := func(yield func(dump.Item, error) bool) {
				for _, item := range tt.items {
					if !yield(item, nil) {
						return
					}
				}
				if tt.fails != nil {
					yield(dump.Item{}, tt.fails)
				}
			}
			err := Verify(Config{}, iter.Seq2[dump.Item, error](items))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	// A load that cannot go there has asked for nothing more.
	asked := 0
	refused := func(yield func(dump.Item, error) bool) {
		for _, item := range slices.Concat([]dump.Item{head}, []dump.Item{create}) {
			asked++
			if !yield(item, nil) {
				return
			}
		}
	}
	ctx, fail := context.WithCancelCause(t.Context())
	defer fail(nil)
	if err := Run(ctx, Config{Named: "one"}, refused, fail); !errors.Is(err, ErrWholeCluster) || asked != 1 {
		t.Errorf("%v, after %d items", err, asked)
	}
}
