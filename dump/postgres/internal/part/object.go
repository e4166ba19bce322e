package part

import (
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
)

// An object is one that a dump makes: a table with all that belongs to it, a type, all functions of
// one name. What belongs to it is known by what the statements are about.
type object struct {
	group string // what shares names with it: relation, type, function, and as SQL calls all others
	word  string // SQL's for it, of a relation: TABLE, VIEW, SEQUENCE
	name  name

	statements []*statement // that the definitions have of it, in the dump's order

	parts     []*object // that are partitions of it
	owner     *object   // of a sequence: the table that it goes with
	sequences []*object // of a table: those
	identity  []name    // of a table: the sequences that are made with its columns
	keys      []string  // of a table: the constraints that are indexes too
	comes     []*object // with it, unasked: operator classes and casts of a type
	scaffolds *object   // of a table that is dropped again: the one that it is there to make

	chosen  bool // by a pattern, or as a partition of a table that is
	wanted  bool // chosen, or needed by what is
	out     bool // by a pattern, or as a partition of such a table
	told    bool // that it is taken as it is
	there   bool // in the target, and taken as it is
	made    bool // by the part, so far
	bare    bool // without the privileges that the target gives to what is made there
	left    bool // out, although it was wanted
	lacking bool // of an extension: the target's server does not have it

	apart   bool            // a partition that is none any more
	without map[member]bool // what of it is left out
	has     map[member]bool // what of it is made
}

// noteMade notes what a statement makes that is sent.
func (o *object) noteMade(s *statement) {
	o.made = true
	if s.member == (member{}) || s.changes {
		return
	}
	if o.has == nil {
		o.has = map[member]bool{}
	}
	o.has[s.member] = true
}

// isTable tells whether the object has rows or shows those of others: references to it are no
// reason to make it.
func (o *object) isTable() bool { return o.group == relation && o.word != sequence }

// lacksRows tells whether some of a table's rows are not in the part: it came along because
// something else needs it, or a partition of it stays out.
func (o *object) lacksRows() bool {
	return o.isTable() && (!o.chosen || slices.ContainsFunc(o.parts, (*object).lacksRows))
}

// isView tells whether the object shows what others hold.
func (o *object) isView() bool { return o.word == view || o.word == materialized }

// The groups of objects that the rest of the package asks for.
const (
	relation  = "relation"
	typ       = "type"
	function  = "function"
	schema    = "schema"
	extension = "extension"
)

// The words of relations.
const (
	table        = "TABLE"
	view         = "VIEW"
	materialized = "MATERIALIZED VIEW"
	foreign      = "FOREIGN TABLE"
	sequence     = "SEQUENCE"
)

// A statement is one of the dump, with what is known of it.
type statement struct {
	item  dump.Item
	order int // among the database's definitions
	role  role
	of    *object // that it makes, or is about; nil: of none that the dump makes
	what  string  // it makes, for people, where it may be left out by itself
	// member is what it makes, or is about, within its object: what is left out is left out with
	// all that is said of it.
	member   member
	index    string // that it makes, by itself or for a key
	makes    name   // the object of that name
	identity name   // the sequence that it makes with a column
	old      bool   // it is about what every database has: the schema public, or who gets what of what is made
	changes  bool   // the member, which is there, as a partition's may be that has it from its table
	sent     bool
}

// A member is a trigger, a rule, a policy or a constraint of a table, each of which has names of
// its own.
type member struct{ phrase, name string }

// A role is what a statement is there for, which says when it is left out.
type role int

const (
	// shapes makes an object, or gives it something: all that it refers to has to be there, and
	// comes along.
	shapes role = iota
	// points makes something that refers to tables, without being one: where one of them is not
	// there it is left out. A view is of them.
	points
	// joins makes a partition of a table, or its index one of the table's: both have to be of the
	// part. A table that is in the target already has indexes, which its new partition would get
	// before the dump makes them.
	joins
	// fills sets a sequence to where it stands, or fills a materialized view.
	fills
	// sets sets something of the session.
	sets
	// reigns is about the whole database: an event trigger, a publication, or what is none of the
	// dump's objects. A part that is chosen by name has none of it.
	reigns
	// large is about large objects.
	large
	// clears drops what a dump makes, before it does. The load clears by itself.
	clears
	// governs is about the server, or about the database as such: roles, the database's settings.
	governs
)

// objects are those of a database's definitions.
type objects struct {
	byKey  map[key]*object
	byName map[name][]*object // of those in schemas, their indexes and keys too
	list   []*object

	scaffolds map[name]bool // names of tables that are dropped again: see catalog's moulds
}

type key struct {
	group string
	name  name
}

func newObjects() *objects {
	return &objects{byKey: map[key]*object{}, byName: map[name][]*object{}, scaffolds: map[name]bool{}}
}

// object returns that of the group and name, which it adds if there is none.
func (os *objects) object(group, word string, n name) *object {
	k := key{group, n}
	if o := os.byKey[k]; o != nil {
		return o
	}
	o := &object{group: group, word: word, name: n}
	os.byKey[k] = o
	os.list = append(os.list, o)
	os.alias(n, o)
	return o
}

// alias has the object found by another name: that of an index, or of a sequence that comes with a
// column.
func (os *objects) alias(n name, o *object) {
	if n.schema != "" {
		os.byName[n] = append(os.byName[n], o)
	}
}

// fold makes the statements of a table that is only there to make another those of the other, and
// forgets it: the next one may have its name.
func (os *objects) fold(o *object) {
	for _, s := range o.statements {
		s.of = o.scaffolds
		s.of.statements = append(s.of.statements, s)
	}
	delete(os.byKey, key{o.group, o.name})
	delete(os.byName, o.name)
	os.scaffolds[o.name] = true
	for i := len(os.list) - 1; i >= 0; i-- {
		if os.list[i] == o {
			os.list = append(os.list[:i], os.list[i+1:]...)
			return
		}
	}
}

// find returns the object that SQL calls so, or nil.
func (os *objects) find(phrase string, n name) *object {
	group := groupOf(phrase)
	if o := os.byKey[key{group, n}]; o != nil {
		return o
	}
	if group != relation && group != typ && group != "statistics" {
		return nil
	}
	for _, o := range os.byName[n] { // a table's row type, its index
		if o.group == relation || o.group == typ {
			return o
		}
	}
	return nil
}

// groupOf is the group of what SQL calls so.
func groupOf(phrase string) string {
	switch phrase {
	case "table", "view", "materialized view", "foreign table", "sequence", "index", "column":
		return relation
	case "domain":
		return typ
	case "procedure", "aggregate", "routine":
		return function
	case "foreign server":
		return "server"
	case "procedural language":
		return "language"
	}
	return phrase
}
