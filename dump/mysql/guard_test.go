package mysql

import (
	"bytes"
	"strings"
	"testing"
)

func TestHolds(t *testing.T) {
	for _, tt := range []struct {
		form   form
		values string
		want   bool
	}{
		{formPlain, "0|-1|18446744073709551615|-99999999999999999999999999999999999.999999999999999999999999999999|2020", true},
		{formPlain, "|1 OR 1|1;2|1--2|1/*|1,2|(1)|NULL|1e5|0x1|'1'|\x00|١", false},
		{formFloat, "0|-0|1.5|1e100|-1.7976931348623157e308|1.18e-38|inf|nan|-inf", true},
		{formFloat, "|1 + 1|1;|--1|sleep", false},
		{formQuoted, "2020-01-01|0000-00-00|-838:59:59.000000|2020-01-01 00:00:00.123456|::1|::ffff:1.2.3.4|fe80::1|00000000-0000-0000-0000-00000000000f|127.0.0.1", true},
		{formQuoted, "'|2020-01-01'|\\|x|1\n2|2020--01|ü", false},
		{formEnd, "2038-01-19 03:14:07.999999", true},
		{formEnd, "DEFAULT|'", false},
		{formText, "'|\\|\x00|", true},
	} {
		for value := range strings.SplitSeq(tt.values, "|") {
			if got := tt.form.holds([]byte(value)); got != tt.want {
				t.Errorf("form %d: %q: %v", tt.form, value, got)
			}
		}
	}
	if formPlain.holds(bytes.Repeat([]byte("1"), 1000)) {
		t.Error("a number of 1000 digits")
	}
}

func TestWithString(t *testing.T) {
	const head = "CREATE FUNCTION `f`() RETURNS int\n    LANGUAGE JAVASCRIPT\n    USING (`d`.`b` AS `l`, `d`.`a`)"
	for _, tt := range []struct{ definition, mode, want string }{
		{head + "\nAS $$ it's \\ $$", "", head + "\nAS ' it\\'s \\\\ '"},
		{head + "\nAS $js$ it's $$ \\ $js$", "NO_BACKSLASH_ESCAPES", head + "\nAS ' it''s $$ \\ '"},
		{"CREATE FUNCTION `f`() RETURNS int\n    LANGUAGE JAVASCRIPT\n    COMMENT '\nAS $x'\nAS $$ 1 $$", "", "CREATE FUNCTION `f`() RETURNS int\n    LANGUAGE JAVASCRIPT\n    COMMENT '\nAS $x'\nAS ' 1 '"},
		{"CREATE PROCEDURE p() SELECT '\nAS $$ x $$'", "", "CREATE PROCEDURE p() SELECT '\nAS $$ x $$'"},
	} {
		if got := withString(tt.definition, tt.mode); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.definition, got, tt.want)
		}
	}
	if got := withinUsing(head+"\nAS '`d`.`x`'", "d"); got != strings.ReplaceAll(head, "`d`.", "")+"\nAS '`d`.`x`'" {
		t.Error(got)
	}
}
