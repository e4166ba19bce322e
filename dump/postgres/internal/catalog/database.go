package catalog

import (
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

// ErrGone says that an object was dropped while the catalogues were read: the functions that
// describe objects see the present, not the dump's snapshot.
var ErrGone = errors.New("it was dropped or changed while the dump began; run the backup again")

func gone(what, name string) error { return fmt.Errorf("%s %s: %w", what, name, ErrGone) }
