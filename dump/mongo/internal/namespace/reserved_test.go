package namespace

import "testing"

func TestDumped(t *testing.T) {
	for _, test := range []struct {
		database, db, name string
		want               bool
	}{
		{"", "app", "users", true},
		{"", "app", "system.js", true},
		{"", "app", "system.views", false},
		{"", "app", "system.buckets.ts", false},
		{"", "app", "system.profile", false},
		{"", "app", "x$y", false},
		{"", "admin", "system.users", true},
		{"", "admin", "system.keys", false},
		{"", "admin", "system.views", false},
		{"", "admin", "system.buckets.ts", false},
		{"", "admin", "system.profile", false},
		{"", "admin", "system.js", true},
		{"", "admin", "system.backup_users", true},
		{"", "config", "chunks", true},
		{"", "config", "transactions", false},
		{"", "config", "system.sessions", false},
		{"config", "config", "transactions", true},
	} {
		if got := IsDumped(test.database, test.db, test.name); got != test.want {
			t.Errorf("dump of %q: %s.%s is dumped: %v", test.database, test.db, test.name, got)
		}
	}
}
