package mysql

import (
	"strings"
	"testing"
)

// Of what servers of today show nobody is warned.
func TestNothingUnknown(t *testing.T) {
	my := testServer(t)
	for _, name := range []string{"kinds", "types", strings.ToLower(string(my.family))} {
		db := my.CreateDB(t)
		my.client(t, db, readFile(t, "testdata/database/"+name+".sql"))
		my.dump(t, Config{Databases: []string{db}, Warn: func(text string) {
			if strings.Contains(text, "does not know") {
				t.Error(text)
			}
		}})
	}
}
