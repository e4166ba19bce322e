package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitQuotedList(t *testing.T) {
	for s, want := range map[string][]string{
		``:                   nil,
		`""`:                 {""},
		`"$user", public`:    {"$user", "public"},
		`a,b , "c,""d" , ""`: {"a", "b", `c,"d`, ""},
		`"unterminated`:      {"unterminated"},
		`x"y`:                {`x"y`},
	} {
		if diff := cmp.Diff(want, splitQuotedList(s)); diff != "" {
			t.Errorf("splitQuotedList(%q) (-want +got):\n%s", s, diff)
		}
	}
}

func FuzzSplitQuotedList(f *testing.F) {
	f.Add(`"$user", public`)
	f.Fuzz(func(t *testing.T, s string) { splitQuotedList(s) })
}

func TestCheckNames(t *testing.T) {
	if err := CheckNames([]Database{{Name: "two words"}, {Name: `a'b\c`}}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"x\n\\! touch /tmp/never", "x\ry"} {
		if err := CheckNames([]Database{{Name: name}}); err == nil {
			t.Errorf("checkNames(%q): no error", name)
		}
	}
}
