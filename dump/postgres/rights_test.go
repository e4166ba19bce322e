package postgres

import (
	"regexp"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// Where a server shows a role less without a word, a warning says what is missing and what to
// grant; when that was granted it is there, and so is the last warning gone.
func TestWhatARoleMayNotSee(t *testing.T) {
	skipShort(t)
	pg := servers.Postgres(t)
	pg.Psql(t, "postgres", "CREATE DATABASE shop")
	pg.Psql(t, "postgres", "CREATE DATABASE shut ALLOW_CONNECTIONS false")
	pg.Psql(t, "shop", `CREATE ROLE "Half blind" LOGIN PASSWORD 'x'; CREATE TABLE t (a integer); GRANT SELECT ON t TO "Half blind";
		CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE USER MAPPING FOR postgres SERVER s OPTIONS (password 'hidden-1');
		CREATE ROLE somebody PASSWORD 'hidden-2'; GRANT pg_read_all_settings TO somebody`)
	pg.Psql(t, "shop", `CREATE SUBSCRIPTION sub CONNECTION 'host=127.0.0.1 port=1 password=hidden-3' PUBLICATION p WITH (connect = false, slot_name = NONE)`)
	conn := strings.Replace(pg.DSN("shop"), "postgres@", "Half%20blind:x@", 1)
	dump := func() (string, []string) {
		var warnings []string
		var b strings.Builder
		src := newSource(t, Config{Conn: conn, AllDatabases: true, Warn: func(s string) { warnings = append(warnings, s) }})
		if err := src.Dump(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		return b.String(), warnings
	}
	stream, warnings := dump()
	told := strings.Join(warnings, "\n")
	for _, what := range []string{"user mappings", "FOR postgres SERVER s", "subscriptions", ": sub;", "passwords", `"shut" is left out`} {
		if !strings.Contains(told, what) {
			t.Errorf("warned of\n%s\nwithout %s", told, what)
		}
	}
	if strings.Contains(stream+told, "hidden") || strings.Contains(stream, "SCRAM") {
		t.Error("what the role may not see is in the dump, or in a warning")
	}
	granted := map[string]bool{}
	for _, grant := range regexp.MustCompile(`GRANT SELECT ON pg_catalog\.\w+ TO "Half blind"`).FindAllString(told, -1) {
		granted[grant] = true
		for _, db := range []string{"postgres", "shop", "template1"} {
			pg.Psql(t, db, grant)
		}
	}
	if len(granted) != 3 {
		t.Errorf("to be granted: %v, want three things", granted)
	}
	pg.Psql(t, "postgres", "DROP DATABASE shut")
	stream, warnings = dump()
	for _, what := range []string{"hidden-1", "SCRAM-SHA-256", "hidden-3"} {
		if !strings.Contains(stream, what) {
			t.Errorf("with all that was granted the dump has no %s", what)
		}
	}
	if len(warnings) > 0 {
		t.Errorf("with all that was granted there are warnings: %q", warnings)
	}
}
