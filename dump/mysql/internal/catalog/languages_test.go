package catalog

import "testing"

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
}
