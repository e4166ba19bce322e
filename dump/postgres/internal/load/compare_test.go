package load

import "testing"

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
