package terminal

import "testing"

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"tëxt with 日本 and a\\n":  "tëxt with 日本 and a\\n",
		"a\nb\tc\r":              `a\nb\u0009c\u000d`,
		"\x1b[31mred\x07":        `\u001b[31mred\u0007`,
		"\xff\x80":               `\xff\x80`,
		"right\u202eleft\u2028x": `right\u202eleft\u2028x`,
		"c1\u009b31m":            `c1\u009b31m`,
		"\U000e0001":             `\U000e0001`,
	} {
		if got := Visible(text); got != want {
			t.Errorf("Visible(%q) = %s, want %s", text, got, want)
		}
	}
}
