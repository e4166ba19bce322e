package mysql

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// rich makes a database with objects of every kind that the server has.
func (my *testMySQL) rich(t *testing.T) (db string) {
	t.Helper()
	my.trustCreators(t)
	db = my.CreateDB(t)
	for _, name := range []string{"kinds", strings.ToLower(string(my.family)), "types"} {
		my.client(t, db, readFile(t, "testdata/database/"+name+".sql"))
	}
	return db
}

// listed are the names of a database's tables, views or sequences.
func (my *testMySQL) listed(t *testing.T, db, kind string) []string {
	t.Helper()
	c, err := my.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	names, err := c.ObjectsOf(t.Context(), db, kind)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(slices.Values(names))
}

// refers matches a foreign key in a definition, and the end of the line before it.
var refers = regexp.MustCompile("(?m),\n  CONSTRAINT `(?:[^`]|``)*` FOREIGN KEY .*?(,?)$")

// dumpOf is one table, view or sequence as the server's own tool dumps it, with its triggers.
func (my *testMySQL) dumpOf(t *testing.T, db, name string) string {
	t.Helper()
	text := my.mysqldump(t, "--skip-routines", "--skip-events", "--skip-comments", db, name)
	text = strings.ReplaceAll(text, quote.Name(db), "`DB`")
	return refers.ReplaceAllString(refers.ReplaceAllString(text, "$1"), "$1")
}

// quotedPattern fits a name and no other.
func quotedPattern(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// All tables by one pattern are all that they were, foreign keys included, and so are views and
// sequences.
func TestAllTablesOfDatabase(t *testing.T) {
	my := testServer(t)
	db, to := my.rich(t), my.CreateDB(t)
	stream := my.dump(t, Config{Databases: []string{db}})
	if err := my.load(t, LoadConfig{Database: to, Part: dump.Choice{Tables: []string{"*"}}}, stream); err != nil {
		t.Fatal(err)
	}
	all := func(db string) string {
		text := my.mysqldump(t, "--skip-routines", "--skip-events", "--skip-comments", db)
		return strings.ReplaceAll(text, quote.Name(db), "`DB`")
	}
	// A view that calls a function is left out: no functions come with tables.
	original := my.listed(t, db, "VIEW")
	lost := slices.DeleteFunc(slices.Clone(original), func(v string) bool { return slices.Contains(my.listed(t, to, "VIEW"), v) })
	for _, v := range lost {
		my.Query(t, db, "DROP VIEW "+quote.Name(v))
	}
	t.Logf("views left out: %q", lost)
	if diff := cmp.Diff(lines(all(db)), lines(all(to))); diff != "" {
		t.Errorf("(-original +restored):\n%s", diff)
	}
}

func TestPartRefused(t *testing.T) {
	my := testServer(t)
	from, to, bystander := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	my.Query(t, from, "CREATE TABLE Orders (a INT); CREATE TABLE log_1 (a INT); CREATE TABLE log_2 (a INT); INSERT INTO log_1 VALUES (1)")
	my.Query(t, to, "CREATE TABLE log_2 (mark INT)")
	stream, several := my.dump(t, Config{Databases: []string{from}}), my.dump(t, Config{Databases: []string{from, bystander}})
	for name, c := range map[string]struct {
		cfg    LoadConfig
		stream []byte
		is     error
		want   string
	}{
		"nothing fits":               {LoadConfig{Database: bystander, Part: dump.Choice{Tables: []string{"log_9"}}}, stream, ErrNothingFits, "no table, view or sequence fits log_9"},
		"another case":               {LoadConfig{Database: bystander, Part: dump.Choice{Tables: []string{"orders"}}}, stream, ErrNothingFits, "there is Orders"},
		"what is there":              {LoadConfig{Database: to, Part: dump.Choice{Tables: []string{"log_*"}}}, stream, dump.ErrNotEmpty, "table " + to + ".log_2"},
		"of one by a database":       {LoadConfig{Database: bystander, Part: dump.Choice{Tables: []string{"app.log_1"}}}, stream, ErrOfOne, "app.log_1"},
		"of one from a database":     {LoadConfig{Database: bystander, Part: dump.Choice{FromDatabase: from}}, stream, ErrOfOne, "no other"},
		"no such database":           {LoadConfig{Database: bystander, Part: dump.Choice{FromDatabase: "nowhere"}}, several, ErrNothingFits, from + ", " + bystander},
		"several into one":           {LoadConfig{Database: bystander, Part: dump.Choice{Tables: []string{"log_1"}}}, several, ErrSeveral, ""},
		"rows into tables not there": {LoadConfig{Database: bystander, Part: dump.Choice{DataOnly: true}}, stream, nil, "no such tables"},
	} {
		t.Run(name, func(t *testing.T) {
			said, verified, err := my.loadInto(t, c.cfg, stream)
			if string(c.stream) != string(stream) {
				said, verified, err = my.loadInto(t, c.cfg, c.stream)
			}
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %v … %s", err, c.is, c.want)
			}
			if errors.Is(err, ErrNothingFits) && !errors.Is(verified, ErrNothingFits) {
				t.Errorf("verified: %v", verified)
			}
			if len(said) > 0 && !errors.Is(err, ErrNothingFits) {
				t.Errorf("it said that it goes to %v", said)
			}
		})
	}
	for _, part := range []dump.Choice{{Schemas: []string{"x"}}, {ExcludeSchemas: []string{"x"}}, {SchemaOnly: true, DataOnly: true}, {Tables: []string{"a.b.c"}}, {Tables: []string{"`a"}}} {
		if _, err := NewLoader(LoadConfig{Server: my.address, Part: part}); err == nil {
			t.Errorf("%+v: no error", part)
		}
	}
	if _, err := NewLoader(LoadConfig{Server: my.address, Part: dump.Choice{FromDatabase: "mysql"}}); err == nil {
		t.Error("into the server's own database: no error")
	}
	if _, err := NewLoader(LoadConfig{Server: my.address, Database: to, Clean: true, Part: dump.Choice{DataOnly: true}}); err == nil {
		t.Error("rows alone, and all that is there dropped before: no error")
	}
}
