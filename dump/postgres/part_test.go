package postgres

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"strconv"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/load"
)

// A load takes any sequence of items that is whole by its own contents: without the rows of one
// table it loads all others. Which items those are is known by the manifest, also where it is a
// partition whose rows are loaded into the whole.
func TestLoadOfAPart(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE TYPE letter AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p');
		CREATE TABLE scattered (l letter, n integer) PARTITION BY HASH (l);
		CREATE TABLE leaf_0 PARTITION OF scattered FOR VALUES WITH (MODULUS 2, REMAINDER 0);
		CREATE TABLE leaf_1 PARTITION OF scattered FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		INSERT INTO scattered SELECT unnest(enum_range(NULL::letter)), 1;
		CREATE TABLE plain AS SELECT 7 AS n`)
	stream := dumpDB(t, pg, db)
	contents, err := dump.ReadContents(bytes.NewReader(stream), int64(len(stream)))
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{"public.leaf_1", "public.plain"} {
		at := slices.IndexFunc(contents.Tables, func(table dump.Table) bool { return table.Name == left })
		if at < 0 {
			t.Fatalf("%s is not in the manifest: %+v", left, contents.Tables)
		}
		var tables []string
		rest := func(yield func(dump.Item, error) bool) {
			for item, err := range Items(bytes.NewReader(stream)) {
				if item.Kind == dump.Rows {
					if tables = append(tables, item.Table); len(tables)-1 == at {
						continue
					}
				}
				if item.Contents != nil {
					item.Contents = &dump.Contents{Tables: slices.Delete(slices.Clone(contents.Tables), at, at+1)}
				}
				if !yield(item, err) {
					return
				}
			}
		}
		restored := newDB(t, pg)
		var compared dump.Comparison
		l, err := NewLoader(LoadConfig{Conn: pg.DSN(restored), Jobs: 3, Compared: func(c dump.Comparison) { compared = c }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, fail := context.WithCancelCause(t.Context())
		defer fail(nil)
		if err := load.Run(ctx, l.cfg, iter.Seq2[dump.Item, error](rest), fail); err != nil {
			t.Fatalf("without %s: %v", left, err)
		}
		want := contents.Tables.Rows() - contents.Tables[at].Rows
		if compared.Tables != len(contents.Tables)-1 || compared.Rows != want || len(compared.Of) != compared.Tables {
			t.Errorf("without %s: compared %+v of %+v", left, compared, contents.Tables)
		}
		if got := pg.Psql(t, restored, "SELECT count(*) FROM (SELECT n FROM scattered UNION ALL SELECT n FROM plain) a"); got != strconv.FormatInt(want, 10) {
			t.Errorf("without %s: %s rows, want %d", left, got, want)
		}
		slices.Sort(tables)
		if !slices.Equal(tables, []string{"public.plain", "public.scattered", "public.scattered"}) {
			t.Errorf("rows of %q", tables)
		}
	}
}
