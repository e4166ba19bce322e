package postgres

import "fmt"

// drops writes statements that drop what the dump makes, where it exists, in the
// opposite order of making it. What somebody has made that depends on it stops
// the load, as with pg_dump --clean --if-exists.
func (p *printer) drops(objects []*object) {
	p.mark("drop what is made below")
	for i := len(objects) - 1; i >= 0; i-- {
		o := objects[i]
		if o.hidden || o.goes {
			continue
		}
		if o.kind == kindDefaultACL {
			for _, g := range o.grants {
				p.orNot("the statement that takes back "+o.describe(), g.reversed().print)
			}
		}
		if sql := o.dropping(); sql != "" {
			p.orNot("the statement that drops "+o.describe(), func(p *printer) { p.stmt("%s", sql) })
		}
	}
}

// dropping is the statement that drops an object; empty for what goes with
// another.
func (o *object) dropping() string {
	cascade := ""
	switch o.kind {
	case kindTableAttach, kindTableData, kindSequenceSet, kindLargeObjectData, kindIndexAttach, kindPublished, kindDefaultACL, kindRefresh:
		return ""
	case kindConstraint, kindForeignKey, kindDefault:
		return o.undo
	case kindSchema:
		if o.name == "public" {
			return ""
		}
	case kindLargeObject:
		return fmt.Sprintf("SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = %s", o.name)
	case kindType:
		if o.shell != nil { // its functions and it need each other
			cascade = " CASCADE"
		}
	}
	if o.undo != "" {
		return o.undo
	}
	return "DROP " + o.word + " IF EXISTS " + o.name + cascade
}
