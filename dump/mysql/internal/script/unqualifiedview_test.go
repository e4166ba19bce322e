package script

import (
	"strings"
	"testing"
)

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
		if got := UnqualifiedView(text, "d"); got != want {
			t.Errorf("%s\nis  %s\nnot %s", text, got, want)
		}
	}
}

func TestUnqualifiedUsing(t *testing.T) {
	const head = "CREATE FUNCTION `f`() RETURNS int\n    LANGUAGE JAVASCRIPT\n    USING (`d`.`b` AS `l`, `d`.`a`)"
	if got := UnqualifiedUsing(head+"\nAS '`d`.`x`'", "d"); got != strings.ReplaceAll(head, "`d`.", "")+"\nAS '`d`.`x`'" {
		t.Error(got)
	}
}
