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
