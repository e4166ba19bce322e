package script

import "testing"

func TestMayName(t *testing.T) {
	for _, tt := range []struct {
		text, database string
		want           bool
	}{
		{"INSERT INTO `gr\xf6`.`log` VALUES (1)", "grö", true},
		{"INSERT INTO gr\xf6 . log VALUES (1)", "grö", true},
		{"SELECT GR\xd6.f()", "grö", true},
		{"SELECT 'grö.'", "grö", false}, // its own bytes, which are found elsewhere
		{"INSERT INTO `x\xf6`.`log` VALUES (1)", "grö", false},
		{"INSERT INTO `gr\xf6` VALUES (1)", "grö", false},
		{"INSERT INTO `agr\xf6`.`log` VALUES (1)", "grö", false},
		{"SELECT app.f()", "app", false},
	} {
		if got := MayName(tt.text, tt.database); got != tt.want {
			t.Errorf("%q, %q: %v", tt.text, tt.database, got)
		}
	}
}

func TestNamesInOtherBytes(t *testing.T) {
	for text, want := range map[string]bool{
		"INSERT INTO `gr\xf6`.`log` VALUES (1)": true,
		"SELECT \xf6l . a FROM \xf6l":           true,
		"SELECT grö.a FROM grö":                 false, // UTF-8, in which the name is found
		"SELECT '\xf6' FROM app.t":              false,
	} {
		if got := NamesInOtherBytes(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
