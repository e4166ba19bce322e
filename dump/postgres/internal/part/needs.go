package part

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
)

// plan chooses among the definitions, of which all are known now.
func (p *Part) plan() error {
	p.planned = true
	for _, o := range p.objects.list {
		p.choose(o)
	}
	if err := p.unused(); err != nil {
		return err
	}
	if p.ToSchema != "" {
		return p.oneSchema()
	}
	return nil
}

// unused returns an error for patterns that should fit something and do not. That an excluding one
// does not is told.
func (p *Part) unused() error {
	asked, not := *p.Rules, *p.Rules
	asked.NotSchemas, asked.NotTables = nil, nil
	not.Schemas, not.Tables = nil, nil
	if list := asked.Unused(p.used); len(list) > 0 {
		return fmt.Errorf("%w: %s", ErrNothingFits, dump.Listed(list))
	}
	for _, text := range not.Unused(p.used) {
		p.Warn(text)
	}
	return nil
}

// oneSchema finds the schema that goes into another.
func (p *Part) oneSchema() error {
	var first *object
	for _, o := range p.objects.list {
		switch {
		case !o.chosen || o.group != relation:
		case first == nil:
			first = o
		case o.name.schema != first.name.schema:
			return fmt.Errorf("%w: there are %s and %s", ErrSchemas, first.name, o.name)
		}
	}
	if first != nil && first.name.schema != p.ToSchema {
		p.old = first.name.schema
	}
	return nil
}

// close finds what is needed by what is chosen.
func (p *Part) close() {
	p.closed = true
	p.company()
	for _, o := range p.objects.list {
		if o.chosen {
			p.want(o)
		}
	}
	if !p.Rules.Including() {
		for _, s := range p.statements {
			if s.role == reigns {
				p.needs(s)
			}
		}
	}
	p.fresh = nil // all is to be sent in its order
}

// company notes what nothing names and what comes with others all the same: with a type the operator
// classes that its indexes are built by, and its casts; with a schema the extensions in it.
func (p *Part) company() {
	p.extensions = map[string][]*object{}
	for _, o := range p.objects.list {
		if o.group == extension {
			in := extensionSchema(o)
			p.extensions[in] = append(p.extensions[in], o)
		}
		if o.group != "operator class" && o.group != "cast" {
			continue
		}
		for _, s := range o.statements {
			refs, _ := references(s.item.Text)
			for _, r := range refs {
				for _, of := range p.resolve(r.name) {
					if of.group == typ {
						of.comes = append(of.comes, o)
					}
				}
			}
		}
	}
}

// want has an object made, with all that it needs, unless the target has it.
func (p *Part) want(o *object) {
	if o.wanted || o.there && !o.chosen {
		p.takeAsIs(o)
		return
	}
	o.wanted = true
	if o.lacking && !o.chosen { // it was taken for one that is needed by its schema
		o.left = true
		p.Warn(fmt.Sprintf("extension %s is left out: the target's server does not have it; what is really of it will be missed", o.name))
		return
	}
	p.fresh = append(p.fresh, o)
	if o.there && o.group != schema {
		p.takeAsIs(o)
		return
	}
	in := o.name.schema
	if o.group == extension {
		in = extensionSchema(o)
	}
	if in := p.objects.byKey[key{schema, name{"", in}}]; in != nil {
		p.want(in)
	}
	for _, s := range o.statements {
		p.needs(s)
	}
	for _, with := range slices.Concat(o.comes, o.sequences) {
		p.want(with)
	}
	if o.isTable() && !o.chosen {
		p.Warn(fmt.Sprintf("%s comes along without its rows: something else needs it", o.name))
	}
}

// takeAsIs notes what the target has already.
func (p *Part) takeAsIs(o *object) {
	what := lower(o.word) + " " + o.name.String()
	if o.there && !o.isTable() && o.group != schema && o.group != extension && !slices.Contains(p.kept, what) {
		p.kept = append(p.kept, what)
	}
}

// needs has made what a statement needs. Tables are no such thing where it only points at them.
func (p *Part) needs(s *statement) {
	refs, within := references(s.item.Text)
	for _, r := range refs {
		for _, o := range p.resolve(r.name) {
			if !o.isTable() || s.role == shapes && o != s.of {
				p.want(o)
			}
		}
		if method := methods[r.name.name]; r.name.schema == "" {
			for _, ext := range method {
				if o := p.objects.byKey[key{extension, name{"", ext}}]; o != nil {
					p.want(o)
				}
			}
		}
	}
	for _, n := range within {
		for _, o := range p.resolve(n) {
			if !o.isTable() {
				p.want(o)
			}
		}
	}
}

// methods are extensions that have operator classes of system types for an index method, which no
// statement names where they are the usual ones.
var methods = map[string][]string{"gist": {"btree_gist", "intarray"}, "gin": {"btree_gin"}}

// resolve returns what a dump makes by that name: all that bear it. What an extension brings is
// named by nothing in the dump, so it is taken for one of each extension in that schema.
func (p *Part) resolve(n name) []*object {
	if n.schema != "" {
		if list := p.objects.byName[n]; len(list) > 0 {
			return list
		}
		return p.extensions[n.schema]
	}
	var list []*object
	for _, group := range []string{"language", "server", "foreign data wrapper", "access method", extension} {
		if o := p.objects.byKey[key{group, n}]; o != nil {
			list = append(list, o)
		}
	}
	return list
}

// extensionSchema is the schema that an extension is put into.
func extensionSchema(o *object) string {
	c := read(o.statements[0].item.Text)
	c.to("schema")
	return c.name().name
}

// unsent are the statements of what has come to be wanted, in the dump's order.
func (p *Part) unsent() (list []*statement) {
	for _, o := range p.fresh {
		list = append(list, o.statements...)
	}
	p.fresh = nil
	slices.SortFunc(list, func(a, b *statement) int { return cmp.Compare(a.order, b.order) })
	return list
}
