package catalog

import (
	"strings"
	"testing"
)

func TestMentioned(t *testing.T) {
	for text, want := range map[string]string{
		"select `t`.`a` AS `a` from `d`.`t`":                             "",
		"select `f`(`t`.`a`) AS `f(a)`,round(1.5,2) AS `b` from `d`.`t`": "f",
		"select round(1.5,`DB`.`F`('`g`(')) AS `x`,`p`.`q`.`r`() AS `y`": "DB.F p.q.r",
		"select '`f`(' AS `f(`,'\\'`f`(' AS `x`":                         "",
		"select `o``dd (`() AS `x` from (select 1 AS `a`) `t`":           "o`dd (",
		"with r(`z`) as (select 1 AS `z`)select `r`.`z` AS `z` from `r`": "",
		"select 'never closed":                                           "not read",
	} {
		_, calls, ok := mentioned(text)
		var got []string
		for _, c := range calls {
			got = append(got, strings.Join(c, "."))
		}
		if !ok {
			got = []string{"not read"}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: calls %q, want %q", text, got, want)
		}
	}
}

// In a view's text a database's name goes, and that of an alias or a table stays.
func TestIsAlias(t *testing.T) {
	for text, want := range map[string]string{
		"CREATE DEFINER=`d`@`%` VIEW `d`.`d` AS select `d`.`f`() AS `d`,`d`.`t`.`d` AS `x` from `d`.`t`": "CREATE DEFINER=`d`@`%` VIEW `d` AS select `f`() AS `d`,`t`.`d` AS `x` from `t`",
		"CREATE VIEW `v` AS select `d`.`a` AS `a` from `d`.`t` `d`":                                      "CREATE VIEW `v` AS select `d`.`a` AS `a` from `t` `d`",
		"CREATE VIEW `v` AS select `d`.`a` AS `a` from `d`":                                              "",
		"CREATE VIEW `v` AS with `d` as (select 1 AS `a`)select `d`.`a` AS `a` from `x`":                 "",
		"CREATE VIEW `v` AS select nextval(`d`.`s`) AS `n`,interval(`d`.`s`,1) AS `i` from `d`":          "CREATE VIEW `v` AS select nextval(`s`) AS `n`,interval(`d`.`s`,1) AS `i` from `d`",
		"select 1 from (`d`.`t` join (`d`.`u` `d` join `d`.`w` on((`d`.`a` = `d`.`w`.`a`))))":            "select 1 from (`t` join (`u` `d` join `w` on((`d`.`a` = `w`.`a`))))",
		"select extract(year from `d`.`a`),trim(both 'x' from (`d`.`a`)),(select 1 from `d`.`t`) from x": "select extract(year from `d`.`a`),trim(both 'x' from (`d`.`a`)),(select 1 from `t`) from x",
	} {
		if want == "" {
			want = text
		}
		if got := withoutDatabase(text, "d"); got != want {
			t.Errorf("%s\nis  %s\nnot %s", text, got, want)
		}
	}
}
