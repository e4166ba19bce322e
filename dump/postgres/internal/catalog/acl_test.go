package catalog

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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
