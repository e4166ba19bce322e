package dump

import (
	"strings"
	"testing"
)

func TestManifestNamesStayInTheirLine(t *testing.T) {
	names := []string{`public.t`, "a\nb", "x\r\n\\! touch /tmp/x", `"quo""te"`, "ünï", "\xff\xfe latin", "", " ", "\u2028"}
	for _, name := range names {
		want := Table{Name: name, Rows: 1 << 40, Hash: 0xfedcba9876543210}
		var b strings.Builder
		if _, err := (Manifest{want}).WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		line, end := strings.CutSuffix(b.String(), "\n")
		if !end || strings.ContainsAny(line, "\r\n\u2028") {
			t.Errorf("name %q: manifest line %q is more than a line", name, b.String())
		}
		got, ok, err := ParseTable(line)
		if err != nil || !ok || got != want {
			t.Errorf("ParseTable(%q) = %+v, %v, %v; want %+v", line, got, ok, err, want)
		}
	}
}

func TestParseTableErrors(t *testing.T) {
	for line, isManifest := range map[string]bool{
		"-- definitions":                                           false,
		"-- table of contents":                                     true,
		`-- table "a" rows x hash 0`:                               true,
		`-- table "a" rows 1 hash zz`:                              true,
		`-- table "a" rows 1`:                                      true,
		"-- table `a` rows 1 hash 00":                              true,
		`-- table "a"rows 1 hash 0000000000000000`:                 true,
		`-- table "a" rows 99999999999999999999 hash 0000000000`:   true,
		`-- table "a" rows 1 hash 0000000000000000 and more of it`: true,
	} {
		_, ok, err := ParseTable(line)
		if ok || (err != nil) != isManifest {
			t.Errorf("ParseTable(%q) = %v, %v", line, ok, err)
		}
	}
}

func TestTableCompare(t *testing.T) {
	table := Table{Name: "public.t", Rows: 3, Hash: 7}
	for _, tt := range []struct {
		rows int64
		hash uint64
		want string
	}{
		{3, 7, ""},
		{2, 7, "table public.t has 2 rows, the dump's manifest says 3"},
		{3, 0, "table public.t has other rows than the dump's manifest says: their hash is 0000000000000000, and there 0000000000000007"},
	} {
		if err := table.Compare(tt.rows, tt.hash); (err != nil || tt.want != "") && (err == nil || err.Error() != tt.want) {
			t.Errorf("%d rows, hash %x: %v, want %s", tt.rows, tt.hash, err, tt.want)
		}
	}
}

func TestParseTrailer(t *testing.T) {
	m := Manifest{{Name: "a", Rows: 5}, {Name: "b", Rows: 1 << 40}}
	var b strings.Builder
	if err := NewWriter(&b, "postgres").End(m); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	last, ok, err := ParseTrailer(lines[len(lines)-2])
	if err != nil || !ok || m.Compare(last) != nil {
		t.Errorf("ParseTrailer(%q) = %+v, %v, %v; want %d tables, %d rows", lines[len(lines)-2], last, ok, err, len(m), m.Rows())
	}
	for _, other := range []Manifest{m[:1], nil, {m[0], {Name: "b", Rows: 1<<40 - 1}}} {
		if other.Compare(last) == nil {
			t.Errorf("%+v is taken for a manifest of %+v", other, last)
		}
	}
	for line, isTrailer := range map[string]bool{
		"-- breaking-backups ends":                                              false,
		"-- breaking-backups end ":                                              true,
		"-- breaking-backups end 2 tables 5 rows":                               true,
		"-- breaking-backups end two tables 5 rows stream 0123456789abcdef":     true,
		"-- breaking-backups end 2 tables x rows stream 0123456789abcdef":       true,
		"-- breaking-backups end 2 tables 5 rows stream 0123456789abcdef and x": true,
	} {
		_, ok, err := ParseTrailer(line)
		if ok || (err != nil) != isTrailer {
			t.Errorf("ParseTrailer(%q) = %v, %v", line, ok, err)
		}
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add(`-- table "public.t" rows 1 hash 0123456789abcdef`)
	f.Add("-- table \"a\\x00\" rows 0 hash 0")
	f.Fuzz(func(t *testing.T, line string) {
		got, ok, err := ParseTable(line)
		if !ok || err != nil {
			return
		}
		var b strings.Builder
		(Manifest{got}).WriteTo(&b)
		again, ok, err := ParseTable(strings.TrimSuffix(b.String(), "\n"))
		if !ok || err != nil || again != got {
			t.Errorf("%q was read as %+v, written as %q and read as %+v, %v", line, got, b.String(), again, err)
		}
	})
}
