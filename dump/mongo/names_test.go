package mongo

import (
	"strings"
	"testing"
)

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
	} {
		f, err := newFilter(words(test.include), words(test.exclude))
		if err != nil {
			t.Fatal(err)
		}
		if got := f.wants(test.name); got != test.want {
			t.Errorf("include %q, exclude %q: wants(%q) = %v", test.include, test.exclude, test.name, got)
		}
	}
	for _, text := range []string{"users", ".users", "app.", ""} {
		if _, err := newFilter([]string{text}, nil); err == nil {
			t.Errorf("include %q: no error", text)
		}
	}
}

func words(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
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
	} {
		all, err := newRenamings(words(test.from), words(test.to))
		if err != nil {
			t.Fatal(err)
		}
		if got := rename(all, test.name); got != test.want {
			t.Errorf("rename %q to %q: %q becomes %q, want %q", test.from, test.to, test.name, got, test.want)
		}
	}
	for _, test := range [][2]string{{"app.*", "copy"}, {"app.*", "copy.x"}, {"app.*", ""}, {"app", "copy.x"}, {"a.*,b.*", "c.*"}} {
		if _, err := newRenamings(words(test[0]), words(test[1])); err == nil {
			t.Errorf("rename %q to %q: no error", test[0], test[1])
		}
	}
}
