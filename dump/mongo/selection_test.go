package mongo

import (
	"errors"
	"strings"
	"testing"
)

// What is chosen of a dump and is not in it is an error before anything is dropped or made.
func TestNothingSelected(t *testing.T) {
	f := startFake(t)
	fillFake(t, f)
	stream, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		cfg  LoadConfig
		want string // of the error; empty: none
		said string
	}{
		"include":                   {LoadConfig{Include: []string{"App.users", "shop.*"}}, "restore: nothing of the dump is selected: collections App.users, shop.*; in it there is app.clustered, ", ""},
		"exclude all":               {LoadConfig{Exclude: []string{"app.*"}}, "collections but app.*; in it there is", ""},
		"rename":                    {LoadConfig{From: []string{"App.*"}, To: []string{"old.*"}}, "to rename: App.* matches nothing; in it there is app.clustered, ", ""},
		"include one of two":        {LoadConfig{Include: []string{"app.users", "app.userz"}}, "", "include app.userz matches nothing of the dump"},
		"exclude what is not there": {LoadConfig{Exclude: []string{"app.userz"}}, "", "exclude app.userz matches nothing of the dump"},
	} {
		t.Run(name, func(t *testing.T) {
			test.cfg.Clean = true
			to := startFake(t)
			to.add(t, "app", "users", "collection", "", `{"_id":7}`)
			warnings, err := loadFake(t, to, test.cfg, stream)
			if test.want == "" {
				if err != nil || strings.Join(warnings, "\n") != test.said {
					t.Errorf("%v, warnings %q", err, warnings)
				}
				return
			}
			if !errors.Is(err, ErrNothingSelected) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want: … %s …", err, test.want)
			}
			if docs := to.collection("app", "users").docs; len(docs) != 1 || len(to.sent("drop"))+len(to.sent("create")) > 0 {
				t.Errorf("the target is changed: %v", docs)
			}
		})
	}
}
