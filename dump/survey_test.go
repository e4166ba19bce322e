package dump

import "testing"

func TestPlainName(t *testing.T) {
	for name, want := range map[string]string{
		"":              "",
		"app-1.x_Y":     "app-1.x_Y",
		"ünï c:x/y%":    "%C3%BCn%C3%AF%20c%3Ax%2Fy%25",
		"a\x00\n\xff,~": "a%00%0A%FF%2C%7E",
	} {
		if got := PlainName(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
