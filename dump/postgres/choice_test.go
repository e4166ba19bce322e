package postgres

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// restoreWarned loads a stream and returns the warnings too.
func restoreWarned(t *testing.T, pg *servers.PG, cfg LoadConfig, stream []byte) (warnings []string, err error) {
	t.Helper()
	cfg.Warn = func(s string) { warnings = append(warnings, s) }
	err = restore(t, pg, cfg, stream)
	return warnings, err
}

// TestEveryRelationAlone restores what the suite's databases have beside tables with rows, which
// the suite restores: views, sequences, partitioned and foreign tables alone, each into an empty
// database: it has to be there as it was, by a dump of just that of both. Of a database with many,
// as the hostile one has, it takes some.
func TestEveryRelationAlone(t *testing.T) {
	skipShort(t)
	pg := servers.Postgres(t) // the scripts make roles
	for _, k := range cases(t, pg) {
		t.Run(k.Name, func(t *testing.T) {
			db := newDB(t, pg)
			k.Fill(t, db)
			stream := dumpDB(t, pg, db)
			contents, err := dump.ReadContents(bytes.NewReader(stream), int64(len(stream)))
			if err != nil {
				t.Fatal(err)
			}
			names := slices.DeleteFunc(relationsOf(t, pg, db), func(name string) bool {
				return slices.ContainsFunc(contents.Tables, func(table dump.Table) bool { return table.Name == name })
			})
			for i, name := range names {
				if i%(1+len(names)/20) != 0 {
					continue
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					one := Selection{Tables: []string{name}}
					want, err := dumpBytes(Config{Conn: pg.DSN(db), Select: one})
					if err != nil {
						want = nil // it needs a table, with its rows
					}
					restored := newDB(t, pg)
					warnings, err := restoreWarned(t, pg, LoadConfig{Database: restored, Jobs: []int{1, 2, 4}[i%3], Part: dump.Choice{Tables: one.Tables}}, stream)
					switch {
					case errors.Is(err, ErrNothingFits) && strings.Contains(string(stream), "-- "+script.AfterRowsMark+"\n\nCREATE MATERIALIZED VIEW"):
						return // it is made behind the rows, by what those of others say
					case err != nil:
						t.Fatal(err)
					case want == nil || strings.Contains(strings.Join(warnings, "\n"), "view "+name+" is left out"):
						return
					}
					got, err := dumpBytes(Config{Conn: pg.DSN(restored), Select: one, AllowEmpty: true})
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(definitionLines(want), definitionLines(got)); diff != "" {
						t.Errorf("warned of %q\n(-original +restored):\n%s", warnings, diff)
					}
				})
			}
		})
	}
}

// relationsOf lists the relations of a database that stand by themselves, as the server writes
// their names.
func relationsOf(t *testing.T, pg *servers.PG, db string) []string {
	t.Helper()
	list := pg.Psql(t, db, `SELECT string_agg(quote_ident(nspname) || '.' || quote_ident(relname), chr(1) ORDER BY nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND nspname !~ '^pg_' AND nspname <> 'information_schema' AND relpersistence <> 't'
		  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype IN ('e', 'i') AND refclassid <> 'pg_namespace'::regclass)`)
	return strings.Split(strings.TrimSuffix(list, "\n"), "\x01")
}

// definitionLines are the lines of a dump, but empty ones and comments.
func definitionLines(stream []byte) []string {
	var lines []string
	for line := range strings.Lines(string(stream)) {
		if line != "\n" && (!strings.HasPrefix(line, "-- ") || strings.HasPrefix(line, "-- table ")) {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}
