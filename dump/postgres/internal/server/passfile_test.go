package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPassOf(t *testing.T) {
	key := passKey{"db", "5432", "app", "me"}
	for _, tt := range []struct {
		line, want string
		ok         bool
	}{
		{"db:5432:app:me:pass", "pass", true},
		{"*:*:*:*:pa ss ", "pa ss ", true},
		{`db:5432:app:me:a\:b\\c`, `a:b\c`, true},
		{`\*:5432:app:me:x`, "", false},
		{"db:5432:app:me:pass:more", "pass", true},
		{"db:5432:app:me:", "", true},
		{"db:5432:app:me", "", false},
		{"other:5432:app:me:x", "", false},
		{"#*:*:*:*:x", "", false},
		{"", "", false},
		{`db:5432:app:me:x\`, `x\`, true},
	} {
		if got, ok := passOf(tt.line, key); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %q, %t", tt.line, got, ok)
		}
	}
	key.host = "*"
	if _, ok := passOf(`\*:5432:app:me:x`, key); !ok {
		t.Error("a * that is meant is not found")
	}
}

func TestPasswordFile(t *testing.T) {
	home := noVariables(t)
	path := filepath.Join(home, ".pgpass")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	check := func(conn, password, warning string) {
		t.Helper()
		var warned []string
		cc, err := ParseConfig(conn, "", "", 0, func(s string) { warned = append(warned, s) })
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_, _ = cc.DialFunc(t.Context(), "unix", filepath.Join(home, "nowhere"))
		}
		if cc.Password != password || (warning == "") != (warned == nil) || warning != "" && (len(warned) != 1 || !strings.Contains(warned[0], warning)) {
			t.Errorf("password %q, want %q; warned of %q, want %q", cc.Password, password, warned, warning)
		}
	}
	check("user=me", "", "")
	write("\ufeff# mine\r\ndb.example:5432:other:me:no\r\ndb.example:5432:me:me:s3cret\r\n", 0o600)
	check("user=me", "s3cret", "") // the database is named as the user
	check("user=me password=mine", "mine", "")
	write("*:*:*:*:s3cret\n", 0o640)
	check("user=me", "", path+": others than its owner can read or write it (mode 0640); want 0600 or less, or the password in PGPASSWORD_FILE, whose mode does not matter")
	check("user=me password=mine", "mine", "")
	write("\ufefflocalhost:*:*:*:s3cret", 0o400)
	check("user=me host=/run/pg", "s3cret", "")
	t.Setenv("PGPASSFILE", home)
	check("user=me", "", "it is no plain file")
	t.Setenv("PGPASSFILE", "/nowhere/pgpass")
	check("user=me", "", "no password is taken from the password file /nowhere/pgpass: no such file")
}
