package script

import (
	"slices"
	"testing"
)

func TestSettings(t *testing.T) {
	for sql, want := range map[string][]string{
		"SET a = 1":                          {"SET a = 1"},
		"SET a = 'x,y', b = f(1, 2),c = @@c": {"SET a = 'x,y'", "SET b = f(1, 2)", "SET c = @@c"},
		"SET NAMES utf8mb4":                  {"SET NAMES utf8mb4"},
		"/*!40101 SET a = 1, b = 2 */":       {"/*!40101 SET a = 1, b = 2 */"},
	} {
		var got []string
		for _, one := range Settings([]byte(sql)) {
			got = append(got, string(one))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

func TestReplacedView(t *testing.T) {
	for sql, want := range map[string]string{
		"CREATE OR REPLACE ALGORITHM=UNDEFINED DEFINER=`a`@`%` SQL SECURITY DEFINER VIEW `odd``view` AS select 1": "`odd``view`",
		"CREATE VIEW `v` AS select 1":                    "",
		"CREATE OR REPLACE ROLE `r`":                     "",
		"CREATE OR REPLACE DEFINER=`a`@`%` PACKAGE `v` ": "",
	} {
		if got, _ := ReplacedView(sql); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}
