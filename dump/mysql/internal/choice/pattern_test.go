package choice

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/breaking-backups/breaking-backups/dump"
)

func TestPattern(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		pattern, database, name string
		want                    bool
	}{
		{"orders", "any", "orders", true},
		{"orders", "", "orders", true},
		{"orders", "any", "Orders", false},
		{"Orders", "any", "Orders", true},
		{`"Orders"`, "any", "Orders", true},
		{"order?", "any", "orders", true},
		{"order?", "any", "order", false},
		{"app.*", "app", "orders", true},
		{"app.*", "apps", "orders", false},
		{"app.*", "", "orders", false},
		{"*.log_*", "x", "log_2026", true},
		{`"a.b".c`, "a.b", "c", true},
		{"`a.b`.`c.d`", "a.b", "c.d", true},
		{`"a""b"`, "any", `a"b`, true},
		{"`a``b`", "any", "a`b", true},
		{"`a\"b`", "any", `a"b`, true},
		{"\"a`b\"", "any", "a`b", true},
		{`"*"`, "any", "*", true},
		{"`*`", "any", "x", false},
		{"log_[0-9]+", "any", "log_12", true},
		{"a|b", "any", "ab", false},
		{"a$b", "any", "a$b", true},
		{"été*", "any", "été_1", true},
		{`"é"?`, "any", "éz", true},
		{"a*", "any", "a\nb", true},
	} {
		p, err := parsePattern(k.pattern)
		if err != nil {
			t.Errorf("%s: %v", k.pattern, err)
			continue
		}
		if got := p.fits(k.database, k.name); got != k.want {
			t.Errorf("%s fits %s.%s: %t", k.pattern, k.database, k.name, got)
		}
	}
	for _, wrong := range []string{`"a`, "`a", "a.b.c", ".a", "a.", "", "[a", "(a"} {
		if _, err := parsePattern(wrong); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v, want an error that names it", wrong, err)
		}
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	part := func(kind dump.Kind, name string) dump.Part { return dump.Part{Kind: kind, Name: name} }
	for _, k := range []struct {
		choice dump.Choice
		part   dump.Part
		want   bool
	}{
		{dump.Choice{Tables: []string{"t"}}, part(dump.Definitions, ""), true},
		{dump.Choice{Tables: []string{"t"}}, part(dump.Definitions, "other"), true},
		{dump.Choice{Tables: []string{"t"}}, part(dump.AfterRows, ""), true},
		{dump.Choice{Tables: []string{"t"}}, part(dump.AfterRows, "t"), true}, // a database of that name
		{dump.Choice{Tables: []string{"t"}}, part(dump.Rows, "`t`"), true},
		{dump.Choice{Tables: []string{"t"}}, part(dump.Rows, "`db`.`t`"), true},
		{dump.Choice{Tables: []string{"t"}}, part(dump.Rows, "`t`.`u`"), false},
		{dump.Choice{Tables: []string{"t"}}, part(dump.AfterRows, "`u`"), false},
		{dump.Choice{ExcludeTables: []string{"t"}}, part(dump.Rows, "`t`"), false},
		{dump.Choice{ExcludeTables: []string{"t"}}, part(dump.Rows, "`u`"), true},
		{dump.Choice{Tables: []string{"*"}, ExcludeTables: []string{"t"}}, part(dump.Rows, "`t`"), false},
		{dump.Choice{FromDatabase: "a"}, part(dump.Rows, "`a`.`t`"), true},
		{dump.Choice{FromDatabase: "a"}, part(dump.Rows, "`b`.`t`"), false},
		{dump.Choice{FromDatabase: "a`.`b"}, part(dump.Rows, "`a``.``b`.`t`"), true},
		{dump.Choice{SchemaOnly: true}, part(dump.Rows, "`t`"), false},
		{dump.Choice{SchemaOnly: true}, part(dump.AfterRows, "`t`"), true},
		{dump.Choice{DataOnly: true}, part(dump.Rows, "`t`"), true},
		{dump.Choice{Tables: []string{"t"}}, part(dump.Rows, "what is no name"), true},
	} {
		r, err := Parse(k.choice)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Wants(k.part); got != k.want {
			t.Errorf("%+v wants %s %s: %t", k.choice, k.part.Kind, k.part.Name, got)
		}
	}
}

// Whatever is typed is read or refused, and what is quoted fits itself.
func FuzzPattern(f *testing.F) {
	for _, text := range []string{"", "a", "a.b", "`a``b`", `"a""b".*`, "a.b.c", "log_[0-9]+", "é*", "\xff", "a\x00b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := parsePattern(text); err == nil {
			p.fits(text, text)
		}
		if text == "" || !utf8.ValidString(text) {
			return
		}
		for _, mark := range []string{"`", `"`} {
			p, err := parsePattern(mark + strings.ReplaceAll(text, mark, mark+mark) + mark)
			if err != nil || !p.fits("", text) || p.fits("", text+"x") {
				t.Errorf("%q in %s: %v", text, mark, err)
			}
		}
	})
}
