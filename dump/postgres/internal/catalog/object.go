package catalog

import (
	"cmp"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// An Address names an object as pg_depend does: the catalogue it is in and its row there. Columns
// are not told apart from their table.
type Address struct{ class, OID uint32 }

func (a Address) compare(b Address) int {
	return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.OID, b.OID))
}

// The catalogues' own OIDs, fixed when PostgreSQL is compiled (CATALOG(...) in
// src/include/catalog/*.h).
const (
	classType          = 1247
	classProc          = 1255
	classRelation      = 1259
	classAccessMethod  = 2601
	classAttrDef       = 2604
	classCast          = 2605
	classConstraint    = 2606
	classConversion    = 2607
	classInherits      = 2611
	classLanguage      = 2612
	classNamespace     = 2615
	classOpclass       = 2616
	classOperator      = 2617
	classRewrite       = 2618
	classTrigger       = 2620
	classOpfamily      = 2753
	classExtension     = 3079
	classPolicy        = 3256
	classStatisticsExt = 3381
	classCollation     = 3456
	classEventTrigger  = 3466
	classForeignServer = 1417
	classForeignData   = 2328
	classUserMapping   = 1418
	classTransform     = 3576
	classTSParser      = 3601
	classTSTemplate    = 3764
	classTSDictionary  = 3600
	classTSConfig      = 3602
	classDefaultACL    = 826
	classPublication   = 6104
	classSubscription  = 6100

	classPublicationRel    = 6106
	classPublicationSchema = 6237
	classLargeObject       = 2613
)

// Not catalogues: what a dump does with an object beyond making it.
const (
	classRefresh     = 1 // of a materialized view
	classIndexAttach = 2 // of a partition's index
	classRows        = 3 // of a table
	classSetval      = 4 // of a sequence
	classContent     = 6 // of a large object
	classRowSecurity = 5 // of a table

	// Parts that the catalogues do not tell from the object that they are of.
	classBody    = 7 // and defaults of a function's arguments
	classDefault = 8 // of a domain
)

// A kind is what an object is. The kinds are in the order in which objects that do not depend on
// each other are dumped: pg_dump's, which keeps every kind behind those it usually needs (the enum
// dbObjectTypePriorities and the comment above it in pg_dump_sort.c).
type kind int

const (
	kindSchema kind = iota
	kindLanguage
	kindCollation
	kindTransform
	kindExtension
	kindType
	kindCast
	kindFunction
	kindAggregate
	kindAccessMethod
	kindOperator
	kindOpfamily
	kindOpclass
	kindConversion
	kindTSParser
	kindTSTemplate
	kindTSDictionary
	kindTSConfig
	kindForeignData
	kindForeignServer
	kindUserMapping
	kindTable // and everything else in pg_class that stands by itself
	kindTableAttach
	kindDefault
	kindLargeObject
	kindDataBegins // the boundary between definitions and rows
	kindConfigData // rows of extensions' tables, of which those of others may be computed
	kindTableData
	kindSequenceSet
	kindLargeObjectData
	kindDataEnds // the boundary between rows and what is made after them
	kindConstraint
	kindIndex
	kindIndexAttach
	kindStatistics
	kindRule
	kindTrigger
	kindForeignKey
	kindPolicy
	kindPublication
	kindPublished
	kindSubscription
	kindDefaultACL
	kindEventTrigger
	kindRefresh
)

// An object is one thing that the dump makes, or knows only because others depend on it.
type object struct {
	Address
	kind  kind
	word  string // SQL's word for it, as in COMMENT ON word name
	Name  string // as SQL names it: qualified, quoted, with argument types
	owner string // quoted; empty where it has none to set

	state state
	why   error // it is lost, or will be when its turn comes
	// extension is the one that the object came with. Needs for the object are needs for the
	// extension, which makes it.
	extension *object
	system    bool    // of a schema: it is the server's own, as is what is in it
	of        *object // the table, or domain, that the object is a part of
	// late objects are made after the rows although their kind is not, because they depend on
	// something that is (a view grouped by a key).
	late bool
	// early objects have to be made before the rows: the rows are computed by them.
	early bool

	rows     *Relation             // set on the object that stands for a table's rows
	built    *Relation             // set on an index or its constraint: the table whose rows it is built of
	computed bool                  // set on such an index when expressions or a condition are computed for each row
	define   func(*script.Printer) // writes the definition; nil where there is none to write
	finish   func(*script.Printer) // writes what must follow the change of owner; may be nil
	declared []string              // statements about it, to follow its comments
	undo     string                // the statement that drops it, where that is not DROP word IF EXISTS name
	goes     bool                  // with another object when that is dropped
	comments []comment
	grants   []grants

	deps []dependency
	// parts says how to take a part (a default, a check, a view's query) out of the object, so that
	// a cycle through that part is broken. The function returns the object that will make the part
	// afterwards.
	parts map[Address]func() *object
	// shell is the bare name of a type, made before it, which is all that the type's own functions
	// need.
	shell *object
	// stub leaves a function that can be named and called but does nothing, which is all that
	// others need to be made, and returns the object that makes the function of it. Its needs by
	// classBody are that object's.
	stub func() *object
}

// A dependency is a need to come after another object. via is the part of the dependent object that
// has the need: the object's own address where it is the whole.
type dependency struct {
	to  *object
	via Address
}

// need makes o come after to.
func (o *object) need(to *object) { o.needVia(to, o.Address) }

func (o *object) needVia(to *object, via Address) {
	if to == nil || to == o {
		return
	}
	d := dependency{to, via}
	if !slices.Contains(o.deps, d) {
		o.deps = append(o.deps, d)
	}
}

// drop removes every need of o for to.
func (o *object) drop(to *object) {
	o.deps = slices.DeleteFunc(o.deps, func(d dependency) bool { return d.to == to })
}

// section says on which side of the rows an object is made.
type section int

const (
	beforeData section = iota
	inData
	afterData
)

func (o *object) section() section {
	switch {
	case o.late || o.kind > kindDataEnds:
		return afterData
	case o.kind < kindDataBegins:
		return beforeData
	}
	return inData
}

// print writes all that belongs to an object but its grants, which come last in a dump.
func (o *object) print(p *script.Printer) {
	if o.state.hidden() {
		return
	}
	if o.define != nil {
		o.define(p)
	}
	if o.owner != "" && o.define != nil && !p.NoOwner {
		p.Stmt("ALTER %s %s OWNER TO %s", o.word, o.Name, o.owner)
	}
	if o.finish != nil {
		o.finish(p)
	}
	for _, c := range o.comments {
		if c.provider != "" {
			p.Stmt("SECURITY LABEL FOR %s ON %s IS %s", c.provider, c.target, server.Literal(c.text))
			continue
		}
		p.Stmt("COMMENT ON %s IS %s", c.target, server.LiteralOrNull(c.text))
	}
	for _, s := range o.declared {
		p.Stmt("%s", s)
	}
}

// part notes how the part at can be taken out of o.
func (o *object) part(at Address, split func() *object) {
	if o.parts == nil {
		o.parts = map[Address]func() *object{}
	}
	o.parts[at] = split
}
