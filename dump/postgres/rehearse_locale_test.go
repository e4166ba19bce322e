package postgres

import (
	"bytes"
	"slices"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// A rehearsal names the locales, and who is to provide them, that the server does not have, whoever
// provides them: there is something just where the server refuses the statement.
func TestRehearseLocales(t *testing.T) {
	pg := testServer(t)
	for statement, names := range map[string][]string{
		"CREATE COLLATION public.c (provider = libc, locale = 'xx_XX.UTF-8');":                                                                                       {"locale xx_XX.UTF-8"},
		"CREATE COLLATION public.c (provider = libc, lc_collate = 'C', lc_ctype = 'xx_XX.UTF-8');":                                                                   {"locale xx_XX.UTF-8"},
		"CREATE COLLATION public.c (provider = libc, locale = 'C');":                                                                                                 nil,
		"CREATE COLLATION public.c (provider = icu, locale = 'de-u-co-phonebk');":                                                                                    {"collation provider icu"},
		"CREATE COLLATION public.c (provider = builtin, locale = 'C.UTF-8');":                                                                                        {"builtin locale C.UTF-8", "collation provider builtin"},
		"CREATE COLLATION public.c (provider = builtin, locale = 'PG_UNICODE_FAST');":                                                                                {"builtin locale PG_UNICODE_FAST", "collation provider builtin"},
		"CREATE DATABASE made WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'de' TABLESPACE = pg_default;":             {"locale provider of databases icu"},
		"CREATE DATABASE made WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = builtin LOCALE = 'C' BUILTIN_LOCALE = 'C.UTF-8';":                        {"builtin locale C.UTF-8", "locale provider of databases builtin"},
		"CREATE DATABASE made WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = builtin LOCALE = 'C' BUILTIN_LOCALE = 'PG_UNICODE_FAST';":                {"builtin locale PG_UNICODE_FAST", "locale provider of databases builtin"},
		"CREATE DATABASE made WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'xx_XX.UTF-8' ICU_LOCALE = 'de' TABLESPACE = \"no where\";": {"locale provider of databases icu", "locale xx_XX.UTF-8", "tablespace no where"},
	} {
		form, cfg := script.OneDatabase, LoadConfig{Database: newDB(t, pg)}
		text := statement + "\n"
		if statement[:15] == "CREATE DATABASE" {
			form, cfg = script.Cluster, LoadConfig{}
			text = script.DatabaseLine("made") + text + script.ConnectCommand("made") + "\n"
		}
		var b bytes.Buffer
		w := dump.NewWriter(&b, form)
		w.WriteString(text)
		if err := w.End(nil); err != nil {
			t.Fatal(err)
		}
		r, err := rehearse(t, pg, cfg, b.Bytes())
		if err != nil || len(r.Obstacles) > 0 {
			t.Fatalf("%s: error %v, obstacles %v", statement, err, r.Obstacles)
		}
		refused := restore(t, pg, cfg, b.Bytes())
		if form == script.Cluster && refused == nil {
			pg.Psql(t, "postgres", "DROP DATABASE made")
		}
		if (len(r.Missing) > 0) != (refused != nil) || slices.ContainsFunc(r.Missing, func(m string) bool { return !slices.Contains(names, m) }) {
			t.Errorf("%s: missing %q of %q, and the server: %v", statement, r.Missing, names, refused)
		}
	}
}
