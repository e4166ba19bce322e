package load

import (
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// described names the object that a statement is about, for people: "foreign key f of table a.b".
// It knows the statements as this package's dumps have them; of any other it gives the beginning.
func described(sql string) string {
	t := script.NewTokens(sql[:min(len(sql), planned)])
	what := ""
	switch t.Next() {
	case "copy":
		what = nameBehind("the rows of table", t, t.Next())
	case "create":
		what = describedCreation(t)
	case "alter":
		if t.Next() == "table" {
			what = describedChange(t)
		}
	case "refresh":
		if reads(t, "materialized", "view") {
			what = nameBehind("the rows of materialized view", t, t.Next())
		}
	}
	if what == "" {
		return script.Head(sql)
	}
	return what
}

// creationWords stand between CREATE and the kind of the object.
var creationWords = map[string]bool{"or": true, "replace": true, "unlogged": true, "unique": true, "constraint": true, "recursive": true, "procedural": true, "trusted": true}

// twoWords are the kinds whose names have two words.
var twoWords = map[string]string{"materialized": "view", "foreign": "table", "event": "trigger", "access": "method", "text": "search", "operator": "class", "user": "mapping"}

// describedCreation reads what follows CREATE. What has no name of its own, and what is named by
// more than that, is left to its statement.
func describedCreation(t *script.Tokens) string {
	kind := t.Next()
	for creationWords[kind] {
		kind = t.Next()
	}
	name := t.Next()
	if second := twoWords[kind]; second != "" {
		if name != second || second == "search" || second == "class" || second == "mapping" {
			return ""
		}
		kind, name = kind+" "+second, t.Next()
	}
	if name == "if" {
		if !reads(t, "not", "exists") {
			return ""
		}
		name = t.Next()
	}
	switch kind {
	case "index", "trigger", "policy", "rule":
		return describedPart(kind, name, t)
	case "table", "view", "sequence", "schema", "type", "domain", "function", "procedure", "aggregate", "extension", "collation", "language", "role", "database", "tablespace",
		"publication", "subscription", "server", "statistics", "materialized view", "foreign table", "event trigger", "access method":
		return nameBehind(kind, t, name)
	}
	return ""
}

// describedPart is what belongs to a table, whose name follows ON.
func describedPart(kind, name string, t *script.Tokens) string {
	if identifier(name) == "" {
		return ""
	}
	for next := t.Next(); next != "on"; next = t.Next() {
		if next == "" {
			return ""
		}
	}
	table := t.Next()
	if table == "only" {
		table = t.Next()
	}
	return nameBehind(kind+" "+name+" of table", t, table)
}

// describedChange reads what follows ALTER TABLE, of what makes a constraint or is about a column.
func describedChange(t *script.Tokens) string {
	word := t.Next()
	if word == "only" {
		word = t.Next()
	}
	table, next := dotted(t, word)
	if table == "" || next != "add" || t.Next() != "constraint" {
		return ""
	}
	name := t.Next()
	kinds := map[string]string{"primary": "primary key", "foreign": "foreign key", "unique": "unique constraint", "check": "check", "exclude": "exclusion constraint", "not": "not-null constraint"}
	if kind := kinds[t.Next()]; kind != "" && identifier(name) != "" {
		return kind + " " + name + " of table " + table
	}
	return ""
}

// nameBehind is words, and behind them the name that begins with the token given; empty where that
// is none.
func nameBehind(words string, t *script.Tokens, first string) string {
	if name, _ := dotted(t, first); name != "" {
		return words + " " + name
	}
	return ""
}

// dotted reads a name as it stands, with or without its schema, and the token behind it.
func dotted(t *script.Tokens, first string) (name, next string) {
	if identifier(first) == "" {
		return "", ""
	}
	var b strings.Builder
	b.WriteString(first)
	for next = t.Next(); next == "."; next = t.Next() {
		second := t.Next()
		if identifier(second) == "" {
			return "", ""
		}
		b.WriteString("." + second)
	}
	if next == "&" { // U&"…", whose letters are written otherwise
		return "", ""
	}
	return b.String(), next
}
