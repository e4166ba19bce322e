package part

import "testing"

// Elements of an array are read as the server writes them, and written so that it reads them.
func TestElements(t *testing.T) {
	for array, want := range map[string][]string{
		`{}`:                      nil,
		`{app.one,NULL}`:          {"app.one", "NULL"},
		`{{a,"b,}"},{c,"\"d\\"}}`: {"a", "b,}", "c", `"d\`},
		`{"a`:                     {"a"},
		`{"a\`:                    {`a\`},
	} {
		list := elements(array)
		if len(list) != len(want) {
			t.Errorf("%s: %v, want %q", array, list, want)
			continue
		}
		for i, e := range list {
			if again := elements("{" + element(e.text) + "}"); e.text != want[i] || len(again) != 1 || again[0].text != e.text {
				t.Errorf("%s: %q, and once more %v, want %q", array, e.text, again, want[i])
			}
		}
	}
}
