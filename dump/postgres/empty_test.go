package postgres

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A dump that would hold nothing is an error that names what is there, of the dump before its first
// byte and of the survey, which agree about what is allowed, too.
func TestEmpty(t *testing.T) {
	skipShort(t)
	pg := servers.Postgres(t)
	for _, db := range []string{"blank", "Full", "lob"} {
		pg.Psql(t, "postgres", `CREATE DATABASE "`+db+`"`)
	}
	pg.Psql(t, "Full", `CREATE SCHEMA app; CREATE TABLE app.orders (a integer); CREATE TABLE app.customers (); CREATE TYPE pair AS (a integer)`)
	pg.Psql(t, "lob", `SELECT lo_create(4711)`)
	// What every new database has, otherwise.
	pg.Psql(t, "blank", `COMMENT ON SCHEMA public IS 'x'; GRANT CREATE ON SCHEMA public TO PUBLIC`)
	for name, c := range map[string]emptyCase{
		"a database":              {Config{Database: "Full"}, "", nil, false},
		"a large object":          {Config{Database: "lob"}, "", nil, false},
		"nothing in it":           {Config{Database: "blank"}, `database "blank"`, []string{"Full", "lob", "postgres"}, false},
		"a table":                 {Config{Database: "Full", Select: Selection{Tables: []string{"orders"}}}, "", nil, false},
		"no table":                {Config{Database: "Full", Select: Selection{Tables: []string{"app.ordr", `"Orders"`}}}, `tables app.ordr, "Orders" of database "Full"`, []string{"app.orders", "app.customers"}, false},
		"no schema":               {Config{Database: "Full", Select: Selection{Schemas: []string{"apps"}}}, `schemas apps of database "Full"`, []string{"app.orders"}, false},
		"a table that is barred":  {Config{Database: "Full", Select: Selection{Tables: []string{"app.*"}, ExcludeTables: []string{"*"}}}, `tables app.* of database "Full" without tables *`, []string{"app.orders"}, false},
		"without some":            {Config{Database: "Full", Select: Selection{ExcludeTables: []string{"*"}}}, "", nil, false},
		"without all":             {Config{Database: "Full", Select: Selection{ExcludeSchemas: []string{"*"}}}, `database "Full" without schemas *`, []string{"app.orders"}, false},
		"no rows":                 {Config{Database: "blank", Select: Selection{DataOnly: true}}, `database "blank", rows alone`, nil, false},
		"rows":                    {Config{Database: "lob", Select: Selection{DataOnly: true}}, "", nil, false},
		"definitions":             {Config{Database: "lob", Select: Selection{SchemaOnly: true}}, `database "lob"`, nil, false},
		"a server":                {Config{AllDatabases: true}, "", nil, false},
		"no such database":        {Config{Databases: []string{"full", "b_*"}}, `databases full, b_*`, []string{"Full", "blank"}, false},
		"an empty one of several": {Config{Databases: []string{"blank", "postgres"}}, `databases blank, postgres`, []string{"blank", "postgres"}, true},
		"a server without":        {Config{AllDatabases: true, ExcludeDatabases: []string{"lob", `"Full"`}}, "all databases without databases lob, \"Full\"", nil, true},
		"no table anywhere":       {Config{AllDatabases: true, Select: Selection{Tables: []string{"nowhere.*"}}}, "tables nowhere.* of all databases", []string{"app.orders"}, true},
		"a table somewhere":       {Config{AllDatabases: true, Select: Selection{Tables: []string{"app.orders"}}}, "", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.cfg.Conn = pg.DSN("postgres")
			survey, err := newSource(t, c.cfg).Survey(t.Context())
			if c.late {
				if err != nil || survey.Empty {
					t.Errorf("survey: %+v, %v", survey, err)
				}
			} else {
				c.is(t, "survey", err)
			}
			written := writerFunc(func(p []byte) (int, error) {
				if c.asked != "" {
					t.Errorf("the dump has written %.40q", p)
				}
				return len(p), nil
			})
			c.is(t, "dump", newSource(t, c.cfg).Dump(t.Context(), written))
			c.cfg.AllowEmpty = true
			survey, err = newSource(t, c.cfg).Survey(t.Context())
			if err != nil || survey.Empty != (c.asked != "") {
				t.Errorf("survey where that is allowed: %+v, %v", survey, err)
			}
			var b strings.Builder
			if err := newSource(t, c.cfg).Dump(t.Context(), &b); err != nil {
				t.Errorf("dump where that is allowed: %v", err)
			} else if err := dump.Verify(strings.NewReader(b.String())); err != nil {
				t.Errorf("dump where that is allowed: %v", err)
			}
		})
	}
}

// An emptyCase is a configuration and what is said of it.
type emptyCase struct {
	cfg   Config
	asked string   // empty: there is something
	there []string // some of it
	late  bool     // the survey does not look that far
}

func (c emptyCase) is(t *testing.T, what string, err error) {
	t.Helper()
	var empty *dump.EmptyError
	switch {
	case c.asked == "":
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	case !errors.As(err, &empty) || empty.Asked != c.asked:
		t.Errorf("%s: %v, want that nothing is there of %s", what, err, c.asked)
	default:
		for _, name := range c.there {
			if !slices.ContainsFunc(empty.There, func(s string) bool { return s == name || strings.HasSuffix(s, "."+name) }) {
				t.Errorf("%s: there is %q, want %s among it", what, empty.There, name)
			}
		}
	}
}

// A database is named by its cluster's identifier, on every way to it; who may not ask for that
// names none.
func TestSurveySource(t *testing.T) {
	pg := testServer(t)
	const name = "a/b %\"ü+~@:&=$.x_"
	id := pg.Psql(t, "postgres", "SELECT system_identifier FROM pg_control_system()")
	pg.Psql(t, "postgres", `CREATE DATABASE "a/b %""ü+~@:&=$.x_"`)
	newRole(t, pg, "postgres", "asker")
	t.Cleanup(func() { pg.Psql(t, "postgres", `DROP DATABASE "a/b %""ü+~@:&=$.x_"`) })
	for want, cfg := range map[string]Config{
		"postgres:" + id + "/a%2Fb%20%25%22%C3%BC%2B%7E%40:%26%3D%24.x_": {Database: name},
		"postgres:" + id: {AllDatabases: true},
	} {
		cfg.Conn, cfg.AllowEmpty = pg.DSN("postgres"), true
		survey, err := newSource(t, cfg).Survey(t.Context())
		if err != nil || survey.Source != want {
			t.Errorf("%+v, %v; want %s", survey, err, want)
		}
		if !regexp.MustCompile(`^[-A-Za-z0-9._:%/]+$`).MatchString(survey.Source) {
			t.Errorf("%s has other letters than it may", survey.Source)
		}
		if _, db, ok := strings.Cut(want, "/"); ok {
			if got, err := url.PathUnescape(db); err != nil || got != name {
				t.Errorf("%s is read as %q, %v", db, got, err)
			}
		}
	}
	pg.Psql(t, "postgres", "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
	defer pg.Psql(t, "postgres", "GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
	cfg := Config{Conn: strings.Replace(pg.DSN("postgres"), "postgres@", "asker:x@", 1), AllowEmpty: true}
	if survey, err := newSource(t, cfg).Survey(t.Context()); err != nil || survey.Source != "" {
		t.Errorf("%+v, %v; want no name", survey, err)
	}
}

func newSource(t *testing.T, cfg Config) *Source {
	t.Helper()
	src, err := NewSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return src
}
