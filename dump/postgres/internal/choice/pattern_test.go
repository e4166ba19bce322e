package choice

import (
	"slices"
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		pattern, schema, name string
		want                  bool
	}{
		{"orders", "any", "orders", true},
		{"Orders", "any", "orders", true},
		{`"Orders"`, "any", "Orders", true},
		{`"Orders"`, "any", "orders", false},
		{"order?", "any", "orders", true},
		{"order?", "any", "order", false},
		{"app.*", "app", "orders", true},
		{"app.*", "apps", "orders", false},
		{"*.log_*", "x", "log_2026", true},
		{`"a.b".c`, "a.b", "c", true},
		{`"a""b"`, "any", `a"b`, true},
		{`"*"`, "any", "*", true},
		{`"*"`, "any", "x", false},
		{"log_[0-9]+", "any", "log_12", true},
		{"a|b", "any", "b", true},
		{"a|b", "any", "ab", false},
		{"a$b", "any", "a$b", true},
		{"été*", "any", "été_1", true},
		{`"é"?`, "any", "éz", true},
		{"a*", "any", "a\nb", true},
	} {
		p, err := parsePattern(k.pattern, 2)
		if err != nil {
			t.Errorf("%s: %v", k.pattern, err)
			continue
		}
		if got := (Patterns{p}).Match(map[*Pattern]bool{}, k.schema, k.name); got != k.want {
			t.Errorf("%s fits %s.%s: %t", k.pattern, k.schema, k.name, got)
		}
	}
	for _, wrong := range []string{`"a`, "a.b.c", ".a", "a.", "[a", "(a"} {
		if _, err := parsePattern(wrong, 2); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v, want an error that names it", wrong, err)
		}
	}
	if got, want := Split(` a, "b,c" ,,d*`), []string{"a", `"b,c"`, "d*"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
