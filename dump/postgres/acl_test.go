package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

func TestParseACLItem(t *testing.T) {
	for s, want := range map[string]aclItem{
		"alice=arwdDxt/postgres":       {grantee: "alice", privs: "arwdDxt", grantor: "postgres"},
		"=r/alice":                     {privs: "r", grantor: "alice"},
		"bob=r*w/alice":                {grantee: "bob", privs: "w", options: "r", grantor: "alice"},
		`"we""ird =/ role"=U*/"a=b/c"`: {grantee: `we"ird =/ role`, options: "U", grantor: "a=b/c"},
		`"ünï"=/postgres`:              {grantee: "ünï", grantor: "postgres"},
	} {
		got, err := parseACLItem(s)
		if err != nil {
			t.Errorf("parseACLItem(%q): %v", s, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(aclItem{})); diff != "" {
			t.Errorf("parseACLItem(%q) (-want +got):\n%s", s, diff)
		}
	}
	for _, s := range []string{"", "alice", "alice=r", `"alice=r/bob`, `alice=r/"bob`, `alice=r/bob more/x`, `alice=r/bob=`} {
		if got, err := parseACLItem(s); err == nil {
			t.Errorf("parseACLItem(%q) = %+v, want an error", s, got)
		}
	}
}

func FuzzParseACLItem(f *testing.F) {
	f.Add("alice=r*w/bob")
	f.Add(`"a""b"=/"c"`)
	f.Fuzz(func(t *testing.T, s string) {
		it, err := parseACLItem(s)
		if err == nil && len(it.privs)+len(it.options) > len(s) {
			t.Errorf("parseACLItem(%q) = %+v", s, it)
		}
	})
}

func TestPrivilegeWords(t *testing.T) {
	for _, c := range []struct {
		g             grants
		letters, want string
	}{
		{grants{full: "arwdDxt"}, "tra", "INSERT,SELECT,TRIGGER"},
		{grants{full: "arwdDxt"}, "arwdDxt", "ALL"},
		{grants{column: `"c d"`}, "rw", `SELECT("c d"),UPDATE("c d")`},
		{grants{full: "X"}, "X", "ALL"},
	} {
		if got := c.g.words(c.letters); got != c.want {
			t.Errorf("words(%q) of %+v = %q, want %q", c.letters, c.g, got, c.want)
		}
	}
}

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
	if err := checkNames([]database{{Name: "two words"}, {Name: `a'b\c`}}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"x\n\\! touch /tmp/never", "x\ry"} {
		if err := checkNames([]database{{Name: name}}); err == nil {
			t.Errorf("checkNames(%q): no error", name)
		}
	}
}

func TestConnectCommand(t *testing.T) {
	for name, want := range map[string]string{
		"plain_1.x":   `\connect plain_1.x`,
		"two words":   `\connect -reuse-previous=on "dbname='two words'"`,
		`a'b\c "d"`:   `\connect -reuse-previous=on "dbname='a\'b\\c ""d""'"`,
		"x;\\! touch": `\connect -reuse-previous=on "dbname='x;\\! touch'"`,
	} {
		if got := script.ConnectCommand(name); got != want {
			t.Errorf("script.ConnectCommand(%q) = %s, want %s", name, got, want)
		}
	}
}
