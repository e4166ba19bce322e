package namespace

import "testing"

func TestFilter(t *testing.T) {
	for _, test := range []struct {
		include, exclude string
		name             string
		want             bool
	}{
		{"", "", "app.users", true},
		{"app.users", "", "app.users", true},
		{"app.users", "", "app.users2", false},
		{"app.*", "", "app.users", true},
		{"app.*", "", "app2.users", false},
		{"*.users", "", "app.users", true},
		{"*.users", "", "app.old.users", true},
		{"app.*.log*", "", "app.x.log.2024", true},
		{"app.*.log*", "", "app.xlog", false},
		{"*", "app.tmp_*", "app.tmp_1", false},
		{"", "app.tmp_*", "app.users", true},
		{"app.*", "app.*.*", "app.a.b", false},
		{"app.a+b", "", "app.aab", false},
		{"app.*", "", "app.a\nb", true},
		{`app.a\*`, "", "app.a*", true},
		{`app.a\*`, "", "app.ab", false},
		{`app.a\\*`, "", `app.a\b`, true},
		{`app.a\\*`, "", `app.a*`, false},
		{`app.a\,b,app.c`, "", `app.a,b`, true},
		{`app.a\,b,app.c`, "", `app.c`, true},
		{`app.a\,b,app.c`, "", `app.a\`, false},
		{`\a\p\p.\u*`, "", `app.users`, true},
		{`a\*:|<>?.*`, "", `a*:|<>?.users`, true},
	} {
		f, err := NewFilter(SplitPatterns(test.include), SplitPatterns(test.exclude))
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Wants(test.name); got != test.want {
			t.Errorf("include %q, exclude %q: wants(%q) = %v", test.include, test.exclude, test.name, got)
		}
	}
	for _, text := range []string{"users", ".users", "app.", "", `app.x\`, `\*`} {
		if _, err := NewFilter([]string{text}, nil); err == nil {
			t.Errorf("include %q: no error", text)
		}
	}
}

func TestRename(t *testing.T) {
	for _, test := range []struct{ from, to, name, want string }{
		{"", "", "app.users", "app.users"},
		{"app.users", "app.people", "app.users", "app.people"},
		{"app.users", "app.people", "app.users2", "app.users2"},
		{"app.*", "copy.*", "app.a.b", "copy.a.b"},
		{"app.*", "copy.app_*", "app.users", "copy.app_users"},
		{"*.log_*", "*.old_*", "app.log_1", "app.old_1"},
		{"app.users,app.*", "app.people,copy.*", "app.users", "app.people"},
		{"app.users,app.*", "app.people,copy.*", "app.orders", "copy.orders"},
		{`app.\**`, `copy.*\*`, "app.*x", "copy.x*"},
		{`app.*\,*`, `copy.*\\*`, "app.a,b", `copy.a\b`},
	} {
		all, err := NewRenamings(SplitPatterns(test.from), SplitPatterns(test.to))
		if err != nil {
			t.Fatal(err)
		}
		if got := Rename(all, test.name); got != test.want {
			t.Errorf("rename %q to %q: %q becomes %q, want %q", test.from, test.to, test.name, got, test.want)
		}
	}
	for _, test := range [][2]string{{"app.*", "copy"}, {"app.*", "copy.x"}, {"app.*", ""}, {"app", "copy.x"}, {"a.*,b.*", "c.*"}, {"a.*", `c.\*`}} {
		if _, err := NewRenamings(SplitPatterns(test[0]), SplitPatterns(test[1])); err == nil {
			t.Errorf("rename %q to %q: no error", test[0], test[1])
		}
	}
}
