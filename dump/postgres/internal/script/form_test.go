package script

import "testing"

func TestConnectCommand(t *testing.T) {
	for name, want := range map[string]string{
		"plain_1.x":   `\connect plain_1.x`,
		"two words":   `\connect -reuse-previous=on "dbname='two words'"`,
		`a'b\c "d"`:   `\connect -reuse-previous=on "dbname='a\'b\\c ""d""'"`,
		"x;\\! touch": `\connect -reuse-previous=on "dbname='x;\\! touch'"`,
	} {
		if got := ConnectCommand(name); got != want {
			t.Errorf("ConnectCommand(%q) = %s, want %s", name, got, want)
		}
	}
}
