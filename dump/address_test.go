package dump

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseAddress(t *testing.T) {
	known := func(option string) bool { return option == "appName" }
	tests := []struct {
		text string
		want Address
		err  string
	}{
		{"x://", Address{Scheme: "x", Hosts: []HostPort{{}}}, ""},
		{"x://h", Address{Scheme: "x", Hosts: []HostPort{{"h", ""}}}, ""},
		{"x://u@h/", Address{Scheme: "x", User: "u", Hosts: []HostPort{{"h", ""}}}, ""},
		{"x://u:@h:1/db", Address{Scheme: "x", User: "u", HasPassword: true, Hosts: []HostPort{{"h", "1"}}, Database: "db"}, ""},
		{
			"x://u%40:p%2F%3A?#:w@a:1,[::1]:2,%2Frun%2Fx,/d%20b?appName=a@b&&o=1=2&",
			Address{
				Scheme: "x", User: "u@", Password: "p/:?#:w", HasPassword: true,
				Hosts: []HostPort{{"a", "1"}, {"::1", "2"}, {"/run/x", ""}, {"", ""}}, Database: "d b",
				Options: []AddressOption{{"appName", "a@b", 51}, {"o", "1=2", 64}},
			},
			"",
		},
		{"nothing", Address{}, "want an address, scheme://user:password@host:port/database"},
		{"x://u:p@ss:w/ord#1@host/app", Address{}, "character 19: an @ that ends no user and password"},
		{"x://u:p@ss@host/app", Address{}, "character 11: an @ that ends"},
		{"x://u:p/w@host/app", Address{}, "character 10: an @ that ends"},
		{"x://h/app?k=p@h", Address{}, "character 14: an @ that ends"},
		{"x://é:p%zz@host", Address{}, "character 8: a % that begins no escape"},
		{"x://u:p%", Address{}, "character 8: a % that begins no escape"},
		{"x://u:p%00@host", Address{}, "character 8: a % that begins no escape"},
		{"x://u:p\n@host", Address{}, "character 8: a control character"},
		{"x://u:pass", Address{}, "character 6: want a host, or host:port"},
		{"x://h:70000", Address{}, "character 6: want a host, or host:port"},
		{"x://a,[::1", Address{}, "character 7: want a host, or host:port"},
		{"x://h/db?word", Address{}, "character 10: want option=value"},
	}
	for _, tt := range tests {
		got, err := ParseAddress(tt.text, known)
		if tt.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("%s: %v, want %s", tt.text, err, tt.err)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tt.text, err, diff)
		}
	}
}
