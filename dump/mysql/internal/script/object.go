package script

import (
	"slices"
	"strings"
)

// An Object is what a statement makes, changes, drops or fills, as far as its head tells.
type Object struct {
	Verb     string // create, alter, drop, lock, set (a sequence's value); empty: the statement is none of these
	Kind     string // table, view, sequence, trigger, database, procedure, …, user, role, server
	Database string // before the name; "": the one that is used
	Name     string
	Table    string // of a trigger: the table it is on
	Behind   int    // where in the statement the name ends
}

// objectKinds are the words by which a statement says what it makes.
var objectKinds = []string{
	"table", "view", "sequence", "trigger", "procedure", "function", "event", "package", "library",
	"database", "schema", "user", "role", "server", "index", "tablespace",
}

// ObjectOf reads a statement's head. It sees through comments, and through those that are
// statements for some servers, as mysqldump writes them.
func ObjectOf(sql []byte) (o Object) {
	t := &tokens{rest: sql}
	switch verb := t.next(); verb {
	case "create", "alter", "drop":
		o.Verb = verb
	case "lock":
		o.Verb, o.Kind = verb, "table"
		t.next() // TABLES
		o.readName(t, len(sql))
		return o
	case "do", "select":
		if t.next() != "setval" || t.next() != "(" {
			return o
		}
		o.Verb, o.Kind = "set", "sequence"
		o.readName(t, len(sql))
		return o
	default:
		return o
	}
	const most = 40 // words before the kind: OR REPLACE, DEFINER, SQL SECURITY, JSON DUALITY
	for range most {
		word := t.next()
		if word == "definer" {
			t.skipDefiner()
			continue
		}
		if slices.Contains(objectKinds, word) {
			o.Kind = word
			break
		}
	}
	if o.Kind == "" {
		return Object{}
	}
	if o.Kind == "schema" {
		o.Kind = "database"
	}
	o.readName(t, len(sql))
	if o.Kind == "trigger" && o.Verb == "create" {
		o.Table = t.triggerTable(&o)
	}
	return o
}

// readName reads the name that comes next, behind IF [NOT] EXISTS and BODY.
func (o *Object) readName(t *tokens, length int) {
	word := t.next()
	for slices.Contains([]string{"if", "not", "exists", "body"}, word) {
		word = t.next()
	}
	o.Name, o.Behind = t.name(), length-len(t.rest)
	if t.qualifies() {
		o.Database = o.Name
		t.next()
		t.next()
		o.Name, o.Behind = t.name(), length-len(t.rest)
	}
}

// skipDefiner passes over = `user`@`host`, or over the name of a role. Behind SQL SECURITY the word
// has nothing more.
func (t *tokens) skipDefiner() {
	if t.skip(); len(t.rest) == 0 || t.rest[0] != '=' {
		return
	}
	t.next()
	t.next()
	t.skip()
	if len(t.rest) > 0 && t.rest[0] == '@' {
		t.next()
		t.next()
	}
}

// triggerTable returns the table behind BEFORE INSERT ON.
func (t *tokens) triggerTable(o *Object) string {
	for word := t.next(); word != "on"; word = t.next() {
		if word == "" {
			return ""
		}
	}
	t.next()
	table := t.name()
	if t.qualifies() {
		o.Database = table
		t.next()
		t.next()
		table = t.name()
	}
	return table
}

// IsGlobal tells whether a statement sets what is the server's and no session's.
func IsGlobal(sql []byte) bool {
	t := &tokens{rest: sql}
	if t.next() != "set" {
		return false
	}
	word := t.next()
	if word == "@" && t.next() == "@" { // a variable of one @ is the user's
		word = t.next()
	}
	return word == "global" || word == "persist" || strings.HasPrefix(word, "persist_")
}
