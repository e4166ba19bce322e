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

func TestManifestNames(t *testing.T) {
	in := func(database, table string) *filling {
		return &filling{database: database, table: table, parents: map[string]string{`"s"."leaf"`: `"s"."mid"`, `"s"."mid"`: `"s"."Root"`}}
	}
	for _, tt := range []struct {
		f    *filling
		name string
		want bool
	}{
		{in("", `"s"."t"`), "s.t", true},
		{in("", `"s"."t"`), `"s"."t"`, true},
		{in("", `"s"."t"`), "s.u", false},
		{in("", `"s"."t"`), "d.s.t", false},
		{in("", `"s"."Root"`), "s.leaf", true},
		{in("", `"s"."leaf"`), `s."Root"`, false},
		{in("", `"s"."a.b""c"`), `s."a.b""c"`, true},
		{in("d", `"s"."t"`), "d.s.t", true},
		{in("D d", `"s"."Root"`), `"D d".s.mid`, true},
		{in("e", `"s"."t"`), "d.s.t", false},
		{in("d", `"s"."t"`), "s.t", false},
		{in("", ""), "", false},
	} {
		if got := tt.f.isOf(tt.name); got != tt.want {
			t.Errorf("rows of %s in database %q are those of %s: %v", tt.f.table, tt.f.database, tt.name, got)
		}
	}
}

// What a partition is a part of is known though its bound is long.
func TestLongBoundNamesItsParent(t *testing.T) {
	p := planner{parents: map[string]string{}}
	p.plan("ALTER TABLE ONLY s.whole ATTACH PARTITION s.leaf FOR VALUES IN ('" + strings.Repeat("x', '", planned) + "');")
	if p.parents[`"s"."leaf"`] != `"s"."whole"` {
		t.Errorf("parents %v", p.parents)
	}
}

// A dump in which a table is a part of itself is read to its end.
func TestPartOfItself(t *testing.T) {
	p := planner{parents: map[string]string{}}
	for _, sql := range []string{
		"ALTER TABLE ONLY s.a ATTACH PARTITION s.b DEFAULT;",
		"ALTER TABLE ONLY s.b ATTACH PARTITION s.c DEFAULT;",
		"ALTER TABLE ONLY s.c ATTACH PARTITION s.a DEFAULT;",
		"ALTER TABLE ONLY s.d ATTACH PARTITION s.d DEFAULT;",
	} {
		p.plan(sql)
	}
	if got := p.rows("COPY s.c (a) FROM stdin;"); len(got.touches) != 3 {
		t.Errorf("a COPY into c touches %v; want a, b and c", got.touches)
	}
}
