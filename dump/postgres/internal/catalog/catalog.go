// Package catalog is what a database holds by its definitions: it reads every kind of object from
// the server's catalogues, chooses those that the dump is of, ties them by their dependencies, puts
// them in order and writes them as SQL, with the privileges on them, or tells of one that it is
// left out.
//
// A kind of object is a file: its query, and the statements that make it. The kinds of which one
// query gives the whole statement are one file together, definition.go, an entry each. An object
// that can be neither read nor ordered nor written as the rest does not cost the others their
// backup. Rows, large objects' contents and where sequences stand are objects here only to have a
// place among the others: what is in them is read elsewhere. So is what belongs to a whole server
// and no database.
package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A Database is what has been read of a database's definitions.
type Database struct {
	conn    *pgx.Conn
	srv     server.Info
	warn    func(string)
	objects []*object
	// at finds objects by address. Parts that are dumped within another object (a view's rule, a
	// table's row type) are found as that object.
	at      map[Address]*object
	Tables  []*Relation // that are dumped: tables, views and sequences, by name
	rels    map[uint32]*Relation
	indexes map[uint32]string // names, qualified and quoted
	// signatures are the types, of those functions that can be made by a stub first, that the stub
	// needs.
	signatures map[*object][]uint32

	roles    Roles
	members  map[Address]uint32   // of extensions: the extension's OID
	comments map[column][]comment // and security labels; without their targets

	counts []count

	sel         *choice.Rules
	Used        map[*choice.Pattern]bool // the selection's patterns that fit something
	schemaNames map[uint32]string
}

// readers read the catalogues, one kind of object each. Later ones rely on earlier ones.
var readers = []struct {
	what string
	read func(context.Context, *Database) error
}{
	{"settings", func(ctx context.Context, c *Database) error { return server.WarnOfLosses(ctx, c.conn, c.warn) }},
	{"roles", func(ctx context.Context, c *Database) (err error) { c.roles, err = ReadRoles(ctx, c.conn); return err }},
	{"comments", readComments},
	{"extensions", readExtensions},
	{"schemas", readSchemas},
	{"collations", readCollations},
	{"tables", readRelations},
	{"columns", readColumns},
	{"inheritance", readInheritance},
	{"types", readTypes},
	{"functions", readFunctions},
	{"aggregates", readAggregates},
	{"definitions", readDefinitions},
	{"options of user mappings", blindMappings},
	{"sequences", readSequences},
	{"views", readViews},
	{"defaults", readDefaults},
	{"constraints", readConstraints},
	{"indexes", readIndexes},
	{"rules", readRules},
	{"triggers", readTriggers},
	{"policies", readPolicies},
	{"published tables", readPublished},
	{"subscriptions", readSubscriptions},
	{"default privileges", readDefaultPrivileges},
	{"large objects", readLargeObjects},
	{"orders of columns", readOrders},
	{"the catalogues a second time", checkCounts},
	{"dependencies", readDependencies},
	{"selection", settleSelection},
}

// Read reads what conn's database holds of the selection, but no rows. warn is told what has to be
// left out.
func Read(ctx context.Context, conn *pgx.Conn, srv server.Info, sel *choice.Rules, warn func(string)) (*Database, error) {
	c := &Database{
		conn: conn, srv: srv, sel: sel, warn: warn,
		Used: map[*choice.Pattern]bool{}, schemaNames: map[uint32]string{},
		at:         map[Address]*object{},
		rels:       map[uint32]*Relation{},
		indexes:    map[uint32]string{},
		signatures: map[*object][]uint32{},
		members:    map[Address]uint32{},
		comments:   map[column][]comment{},
	}
	for _, r := range readers {
		if err := r.read(ctx, c); err != nil {
			return nil, fmt.Errorf("read %s: %w", r.what, err)
		}
	}
	return c, nil
}

// texts keeps one of each text that occurs again and again: types of columns, say.
type texts map[string]*string

func (t texts) one(s *string) *string {
	if s == nil {
		return nil
	}
	if known := t[*s]; known != nil {
		return known
	}
	t[*s] = s
	return s
}

// header is what the catalogue queries of the kinds have in common.
type header struct {
	OID    uint32 `db:"oid"`
	Schema uint32 // 0 for objects outside schemas
	Name   string // qualified and quoted
	Owner  uint32 // 0 for objects without one
}

// add takes a new object in, decides whether it is dumped, and ties it to its schema and extension.
func (c *Database) add(o *object, h header) *object {
	o.OID, o.Name = h.OID, h.Name
	if h.Owner != 0 {
		o.owner = c.roles[h.Owner].Quoted
	}
	c.register(o)
	if schema := c.at[Address{classNamespace, h.Schema}]; schema != nil {
		o.need(schema)
		switch {
		case schema.system && c.sel.Including():
			o.state = mute
		case schema.system:
			o.state = schema.state
		default:
			o.state = schema.state.inside()
		}
	}
	if o.kind.outside() && c.sel.Including() {
		o.state = unasked
	}
	if ext, ok := c.members[o.Address]; ok {
		o.state = o.state.toOthers()
		o.extension = c.at[Address{classExtension, ext}]
		o.need(o.extension)
	}
	c.commentOn(o, o.Address, 0, o.word+" "+o.Name)
	return o
}

// register takes a new object in as it is, to be found by its address.
func (c *Database) register(o *object) {
	c.objects = append(c.objects, o)
	c.at[o.Address] = o
}

// ErrGone says that an object was dropped while the catalogues were read: the functions that
// describe objects see the present, not the dump's snapshot.
var ErrGone = errors.New("it was dropped or changed while the dump began; run the backup again")

func gone(what, name string) error { return fmt.Errorf("%s %s: %w", what, name, ErrGone) }
