package part

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

var choiceOfAll choice.Rules

func itemOf(sql string) dump.Item { return dump.Item{Kind: dump.Definitions, Text: sql} }

// itemsOf is a dump of these statements.
func itemsOf(statements ...string) func(func(dump.Item, error) bool) {
	return func(yield func(dump.Item, error) bool) {
		if !yield(dump.Item{Head: &dump.Head{Form: script.OneDatabase}}, nil) {
			return
		}
		for _, sql := range statements {
			if !yield(itemOf(sql), nil) {
				return
			}
		}
		yield(dump.Item{Contents: &dump.Contents{}}, nil)
	}
}

// chosen are the statements of a part.
func chosen(t *testing.T, c dump.Choice, statements ...string) (list []string) {
	t.Helper()
	cfg, err := Parse(c, "", func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	for item, err := range New(cfg).Items(itemsOf(statements...)) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Text != "" {
			list = append(list, item.Text)
		}
	}
	return list
}

// Settings that were made for a statement go with it.
func TestFrames(t *testing.T) {
	statements := []string{
		"CREATE TABLE a.t (i integer);", "CREATE TABLE a.u (i integer);",
		"SET default_tablespace = far;", "CREATE INDEX x ON a.t USING btree (i);", "SET default_tablespace = '';",
		"SET SESSION AUTHORIZATION r;", "GRANT SELECT ON TABLE a.u TO PUBLIC;", "RESET SESSION AUTHORIZATION;",
	}
	got := fmt.Sprint(chosen(t, dump.Choice{Tables: []string{"t"}}, statements...))
	if want := fmt.Sprint([]string{statements[0], statements[2], statements[3], statements[4]}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	got = fmt.Sprint(chosen(t, dump.Choice{Tables: []string{"u"}}, statements...))
	if want := fmt.Sprint([]string{statements[1], statements[5], statements[6], statements[7]}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A column of a table that bears a schema's name is no table of that schema.
func TestColumnsOfATableNamedAsItsSchema(t *testing.T) {
	statements := []string{
		"CREATE TABLE orders.items (i integer);", "CREATE TABLE orders.orders (items integer, n integer);",
		"CREATE VIEW orders.v AS\n SELECT orders.items\n   FROM orders.orders;",
		"CREATE VIEW orders.w AS\n SELECT o.n,\n    orders.items\n   FROM orders.orders,\n    orders.items o;",
	}
	got := fmt.Sprint(chosen(t, dump.Choice{Tables: []string{"orders", "v", "w"}}, statements...))
	if want := fmt.Sprint(statements[1:3]); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What no statement names by itself comes all the same: a multirange with its range, the operator
// classes of a key without overlaps with their extension.
func TestWhatComesUnnamed(t *testing.T) {
	statements := []string{
		"CREATE SCHEMA e;", "CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA e;",
		"CREATE TYPE a.r AS RANGE (\n    subtype = integer,\n    multirange_type_name = a.\"m r\"\n);", "CREATE TABLE a.t (x a.\"m r\");",
		"CREATE TABLE a.u (i integer, p timestamp without time zone);", "ALTER TABLE ONLY a.u\n    ADD CONSTRAINT k PRIMARY KEY (i, p WITHOUT OVERLAPS);",
	}
	for table, want := range map[string][]string{"t": statements[2:4], "u": {statements[0], statements[1], statements[4], statements[5]}} {
		if got := chosen(t, dump.Choice{Tables: []string{table}}, statements...); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Names of indexes stay within what servers take, and apart.
func TestFreeNames(t *testing.T) {
	p := New(&Config{Rules: &choiceOfAll})
	long := strings.Repeat("ä", 31)
	got := []string{p.free(name{"a", long + "1"}), p.free(name{"a", "x"})}
	p.taken[name{"a", got[0]}] = true
	got = append(got, p.free(name{"a", long + "2"}))
	if want := []string{strings.Repeat("ä", 30) + "_1", "x_1", strings.Repeat("ä", 30) + "_2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// One table of very many is found in no time, and types that need each other in a circle.
func TestManyDefinitions(t *testing.T) {
	var statements []string
	const n = 20_000
	for i := range n {
		statements = append(statements, fmt.Sprintf("CREATE TYPE a.t%d AS (x a.t%d);", i, (i+1)%n), fmt.Sprintf("CREATE TABLE a.r%d (i a.t%d, j unknown.alias);", i, i),
			fmt.Sprintf("ALTER TABLE a.r%d OWNER TO o;", i))
	}
	begun := time.Now()
	got := chosen(t, dump.Choice{Tables: []string{"r7"}}, statements...)
	if len(got) != n+2 {
		t.Errorf("%d statements, want %d", len(got), n+2)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}
