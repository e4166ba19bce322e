package choice

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	for list, want := range map[string][]string{
		"":                               nil,
		" , ":                            nil,
		"orders, app.log_*":              {"orders", "app.log_*"},
		"`a,b`,\"c`,d\",e":               {"`a,b`", "\"c`,d\"", "e"},
		"`a``,`,b":                       {"`a``,`", "b"},
		"`never closed,b":                {"`never closed,b"},
		"app.`tab\tle`, \"with blank \"": {"app.`tab\tle`", "\"with blank \""},
	} {
		if diff := cmp.Diff(want, Split(list)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", list, diff)
		}
	}
}
