package dump

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestTargetString(t *testing.T) {
	many := strings.Split(strings.Repeat("a ", 22), " ")[:22]
	for want, target := range map[string]Target{
		"database app":                      {Server: "db:5432", Database: "app", Databases: []string{"app"}},
		"the server db:5432":                {Server: "db:5432"},
		"the server db:5432, database app":  {Server: "db:5432", Databases: []string{"app"}},
		"the server db, databases app, hop": {Server: "db", Databases: []string{"app", "hop"}},
		"the server db, databases " + strings.Repeat("a, ", 19) + "a and 2 more": {Server: "db", Databases: many},
	} {
		if got := target.String(); got != want {
			t.Errorf("%+v: %s, want %s", target, got, want)
		}
	}
}

func TestPartialError(t *testing.T) {
	cause := errors.New("no room")
	var err error = &PartialError{Err: fmt.Errorf("restore: %w", cause), Left: Left(false, []string{"database a", "perhaps database b"})}
	const want = "restore: no room; dropped are database a, perhaps database b, and nothing of the dump is there yet"
	if err.Error() != want || !errors.Is(err, cause) {
		t.Errorf("%v, want %s", err, want)
	}
}
