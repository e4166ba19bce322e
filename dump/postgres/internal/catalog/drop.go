package catalog

import (
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// writeDrops writes statements that drop what the dump makes, where it exists, in the opposite
// order of making it. What somebody has made that depends on it stops the load, as with pg_dump
// --clean --if-exists.
func writeDrops(p *script.Printer, objects []*object) {
	p.Mark("drop what is made below")
	unmade := unmade(objects)
	for i := len(objects) - 1; i >= 0; i-- {
		o := objects[i]
		if o.state.hidden() || o.goes || unmade[o] {
			continue
		}
		if o.kind == kindDefaultACL {
			for _, g := range o.grants {
				p.OrNot("the statement that takes back "+o.describe(), g.Reversed().Print)
			}
		}
		if sql := o.dropping(); sql != "" {
			p.OrNot("the statement that drops "+o.describe(), func(p *script.Printer) { p.Stmt("%s", sql) })
		}
	}
}

// unmade finds the objects that are left out because there is no order for them, and those that go
// with them.
func unmade(objects []*object) map[*object]bool {
	found := map[*object]bool{}
	for _, o := range objects {
		found[o] = o.why != nil || slices.ContainsFunc(o.deps, func(d dependency) bool {
			return found[d.to] && (o.parts[d.via] == nil || !o.takesApart())
		})
	}
	return found
}

// dropping is the statement that drops an object; empty for what goes with another.
func (o *object) dropping() string {
	cascade := ""
	switch o.kind {
	case kindTableAttach, kindConfigData, kindTableData, kindSequenceSet, kindLargeObjectData, kindIndexAttach, kindPublished, kindDefaultACL, kindRefresh:
		return ""
	case kindConstraint, kindForeignKey, kindDefault:
		return o.undo
	case kindSchema:
		if o.Name == "public" {
			return ""
		}
	case kindLargeObject:
		return fmt.Sprintf("SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = %s", o.Name)
	case kindType:
		if o.shell != nil { // its functions and it need each other
			cascade = " CASCADE"
		}
	}
	if o.undo != "" {
		return o.undo
	}
	return "DROP " + o.word + " IF EXISTS " + o.Name + cascade
}

// ifDomain is a statement that alters a domain, where it exists, which ALTER DOMAIN has no words
// for.
func ifDomain(name, change string) string {
	return ifExists("SELECT FROM pg_catalog.pg_type WHERE oid = pg_catalog.to_regtype("+server.Literal(name)+") AND typtype = 'd'", "ALTER DOMAIN "+name+" "+change)
}

// ifFunction is a statement that is run where the function of that name and those arguments exists.
func ifFunction(name, statement string) string {
	return ifExists("SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = pronamespace"+
		" WHERE pg_catalog.format('%I.%I(%s)', nspname, proname, pg_catalog.pg_get_function_identity_arguments(p.oid)) = "+server.Literal(name), statement)
}

func ifExists(query, statement string) string {
	return "DO " + server.Literal("BEGIN IF EXISTS ("+query+") THEN EXECUTE "+server.Literal(statement)+"; END IF; END")
}
