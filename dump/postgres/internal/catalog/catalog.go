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
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
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

// A column is an object, or with sub > 0 one of its columns: pg_description's key.
type column struct {
	Address
	sub int16
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

// commentOn gives o the comment and the security labels that the database has for the object at, or
// its column sub, to be written as COMMENT ON target.
func (c *Database) commentOn(o *object, at Address, sub int16, target string) {
	for _, k := range c.comments[column{at, sub}] {
		k.target = target
		o.comments = append(o.comments, k)
	}
}

func readComments(ctx context.Context, c *Database) error {
	type row struct {
		Class, Object  uint32
		Sub            int16
		Text, Provider string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT classoid AS class, objoid AS object, objsubid::int2 AS sub, description AS text, '' AS provider
		FROM pg_description WHERE objoid >= $1 OR classoid IN ('pg_namespace'::regclass, 'pg_largeobject'::regclass)
		UNION ALL
		SELECT classoid, objoid, objsubid::int2, label, quote_ident(provider) FROM pg_seclabel
		ORDER BY provider`, server.FirstNormal)
	for _, r := range rows {
		at := column{Address{r.Class, r.Object}, r.Sub}
		c.comments[at] = append(c.comments[at], comment{text: r.Text, provider: r.Provider})
	}
	return err
}

func readExtensions(ctx context.Context, c *Database) error {
	type row struct {
		header
		Into string // its schema, quoted
	}
	exts, err := server.Query[row](ctx, c.conn, `
		SELECT x.oid, x.extnamespace AS schema, quote_ident(x.extname) AS name, 0::oid AS owner, quote_ident(n.nspname) AS into
		FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace ORDER BY x.extname`)
	if err != nil {
		return err
	}
	c.counted("extensions", len(exts), "SELECT count(*) FROM pg_extension")
	for _, x := range exts {
		// The schema is tied by pg_depend, the other way round where the extension brings its own.
		h := x.header
		h.Schema = 0
		o := c.add(&object{Address: Address{class: classExtension, OID: x.OID}, kind: kindExtension, word: "EXTENSION"}, h)
		// plpgsql comes with every new database; one that was made anew does not have initdb's OID.
		if x.OID < server.FirstNormal {
			o.state = o.state.toOthers()
		}
		o.define = func(p *script.Printer) { p.Stmt("CREATE EXTENSION IF NOT EXISTS %s WITH SCHEMA %s", x.Name, x.Into) }
	}
	type member struct{ Class, Object, Extension uint32 }
	members, err := server.Query[member](ctx, c.conn, `
		SELECT classid AS class, objid AS object, refobjid AS extension FROM pg_depend
		WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass`)
	for _, m := range members {
		c.members[Address{m.Class, m.Object}] = m.Extension
	}
	return err
}

func readSchemas(ctx context.Context, c *Database) error {
	type row struct {
		header
		Raw string
		ACL []string `db:"acl"`
		Def []string
	}
	schemas, err := server.Query[row](ctx, c.conn, `
		SELECT n.oid, 0::oid AS schema, quote_ident(nspname) AS name, nspowner AS owner, nspname AS raw,
		       nspacl::text[] AS acl,
		       `+initial("pg_namespace", "n.oid", "'n'", "nspowner", "nspacl")+`
		FROM pg_namespace n ORDER BY nspname`)
	c.counted("schemas", users(schemas, func(r row) uint32 { return r.OID }), "SELECT count(*) FROM pg_namespace WHERE oid >= $1")
	for _, n := range schemas {
		o := c.add(&object{Address: Address{class: classNamespace, OID: n.OID}, kind: kindSchema, word: "SCHEMA"}, n.header)
		c.schemaNames[n.OID] = n.Raw
		if n.Raw == "public" {
			n.Def = c.readPublic(o, n.Owner)
		}
		if err := c.grantOn(o, "SCHEMA", n.Owner, n.ACL, n.Def); err != nil {
			return err
		}
		switch {
		case n.Raw == "public":
		case strings.HasPrefix(n.Raw, "pg_") || n.Raw == "information_schema":
			// What somebody granted on the catalogues themselves is kept.
			if o.system, o.state = true, mute; n.Raw == "pg_catalog" {
				o.state = given
			}
		default:
			o.define = func(p *script.Printer) { p.Stmt("CREATE SCHEMA %s", o.Name) }
		}
		if !o.state.hidden() {
			o.state = c.ofSchema(n.Raw)
		}
	}
	return err
}

// What initdb makes (pg_authid.dat, pg_namespace.dat).
const (
	pgDatabaseOwner    = 6171
	publicSchemaText   = "standard public schema"
	ownersPublicSchema = 150000 // since this version public belongs to pg_database_owner
)

// readPublic says what of the schema public differs from the one that every new database has: it
// cannot be created, only altered. It returns what initdb grants on it: everything to its owner,
// and to everybody usage, before 15 also the right to create.
func (c *Database) readPublic(o *object, owner uint32) (born []string) {
	usual := uint32(BootstrapUser)
	if c.srv.Version >= ownersPublicSchema {
		usual = pgDatabaseOwner
	}
	if owner == usual {
		o.owner = ""
	}
	if o.owner != "" {
		o.define = func(*script.Printer) {}
	}
	switch at := slices.IndexFunc(o.comments, func(k comment) bool { return k.text == publicSchemaText }); {
	case at >= 0:
		o.comments = nil
	case len(o.comments) == 0:
		o.comments = []comment{{target: "SCHEMA public"}}
	}
	everybody := "=U/"
	if c.srv.Version < ownersPublicSchema {
		everybody = "=UC/"
	}
	name := aclName(c.roles[owner].name)
	return []string{name + "=UC/" + name, everybody + name}
}

// ErrGone says that an object was dropped while the catalogues were read: the functions that
// describe objects see the present, not the dump's snapshot.
var ErrGone = errors.New("it was dropped or changed while the dump began; run the backup again")

func gone(what, name string) error { return fmt.Errorf("%s %s: %w", what, name, ErrGone) }
