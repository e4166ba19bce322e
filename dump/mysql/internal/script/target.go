package script

import (
	"slices"
)

// A Target is what a statement names as what it changes.
type Target struct {
	Databases []string // those of qualified names
	Whole     bool     // the one database itself: USE, CREATE, DROP and ALTER DATABASE
}

// TargetOf looks at a statement's head for names of databases. Whatever a dump may be made of names
// them, if at all, before its first parenthesis and before what only reads; comments, and those
// that are statements for some servers, are seen through. (A dump that is out for more finds ways,
// as what it holds is run.)
func TargetOf(sql []byte) (n Target) {
	t := &tokens{rest: sql}
	verb := t.next()
	if verb == "use" {
		t.next()
		return Target{[]string{t.name()}, true}
	}
	if !slices.Contains(changing, verb) {
		return n
	}
	for word := t.next(); word != "" && !slices.Contains(headEnds, word); word = t.next() {
		switch {
		case (word == "database" || word == "schema") && slices.Contains(ofDatabases, verb):
			for word = t.next(); slices.Contains([]string{"if", "not", "exists"}, word); word = t.next() {
			}
			if verb == "alter" && slices.Contains(databaseOptions, word) { // of the one that is used
				return n
			}
			return Target{[]string{t.name()}, true}
		case t.qualifies():
			n.Databases = append(n.Databases, t.name())
			t.next()
			t.next()
		}
	}
	return n
}

var (
	// changing are the verbs of statements that change what they name.
	changing    = []string{"alter", "create", "delete", "drop", "insert", "load", "lock", "rename", "replace", "truncate", "update"}
	ofDatabases = []string{"alter", "create", "drop"}
	// headEnds are the words behind which a statement reads, or is another's text.
	headEnds = []string{"(", "as", "begin", "call", "do", "each", "like", "references", "return", "select", "set", "value", "values", "where"}
	// databaseOptions are what ALTER DATABASE without a name goes on with.
	databaseOptions = []string{"character", "charset", "collate", "comment", "default", "encryption", "read", "upgrade"}
)
