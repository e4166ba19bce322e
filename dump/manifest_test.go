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
