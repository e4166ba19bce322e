package server

import "testing"

func TestParseGrant(t *testing.T) {
	h := holder{}
	for _, line := range []string{
		"GRANT USAGE ON *.* TO `u`@`%`", "GRANT SELECT, SHOW VIEW ON `app\\_x`.* TO `u`@`%`", "GRANT TRIGGER ON `a%`.* TO `u`@`%` WITH GRANT OPTION",
		"GRANT SELECT (`a`), INSERT ON `b`.`t` TO `u`@`%`", "GRANT EXECUTE ON PROCEDURE `b`.`p` TO `u`@`%`", "GRANT `r`@`%` TO `u`@`%`", "GRANT EVENT ON *.* TO `u`@`%`",
		"REVOKE EVENT ON `hidden`.* FROM `u`@`%`",
	} {
		if g, ok := parseGrant(line); ok {
			h.grants = append(h.grants, g)
		}
	}
	for _, tt := range []struct {
		db, privilege string
		want          bool
	}{
		{"app_x", "SELECT", true},
		{"appyx", "SELECT", false},
		{"b", "SELECT", false},
		{"", "SELECT", false},
		{"abc", "TRIGGER", true},
		{"b", "TRIGGER", false},
		{"b", "EVENT", true},
		{"hidden", "EVENT", false},
		{"", "EVENT", false},
		{"b", "EXECUTE", false},
	} {
		if got := h.May(tt.db, tt.privilege); got != tt.want {
			t.Errorf("%s on %q: %v", tt.privilege, tt.db, got)
		}
	}
}
