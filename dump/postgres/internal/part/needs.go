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
	p.expect()
	p.choose()
	if err := p.unused(); err != nil {
		return err
	}
	if err := p.scattered(); err != nil {
		return err
	}
	if p.ToSchema != "" {
		return p.oneSchema()
	}
	return nil
}

// choose says of all objects whether they are chosen. What is said of a table holds for its
// partitions.
func (p *Part) choose() {
	var chosen, out []*object
	for _, o := range p.objects.list {
		if o.chosen = p.chooses(o); o.chosen {
			chosen = append(chosen, o)
		}
		if o.out = o.group == relation && p.excludes(o); o.out {
			out = append(out, o)
		}
	}
	for ; len(out) > 0; out = out[1:] {
		for _, part := range out[0].parts {
			if !part.out {
				part.chosen, part.out = false, true
				out = append(out, part)
			}
		}
		for _, with := range out[0].sequences {
			with.chosen, with.out = false, true
		}
	}
	for ; len(chosen) > 0; chosen = chosen[1:] {
		for _, part := range chosen[0].parts {
			if chosen[0].chosen && !part.chosen && !part.out {
				part.chosen = true
				chosen = append(chosen, part)
			}
		}
	}
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

// close finds what is needed by what is chosen, once: where there is a target, Place has it done
// when it knows what is there.
func (p *Part) close() {
	if p.closed {
		return
	}
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
	p.follow()
	p.fresh = nil // all is to be sent in its order
}

// company notes what nothing names and what comes with others all the same: with a type the
// operator classes that its indexes are built by, and its casts; with a schema the extensions in
// it.
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

// want has an object made, unless the target has it. What it needs in its turn follow finds.
func (p *Part) want(o *object) {
	switch {
	case o.wanted:
	case o.there:
		p.takeAsIs(o)
	case o.lacking && !o.chosen: // it was taken for one that is needed by its schema
		o.wanted, o.left = true, true
		p.Warn(fmt.Sprintf("extension %s is left out: the target's server does not have it; what is really of it will be missed", o.name))
	default:
		o.wanted = true
		p.fresh, p.queue = append(p.fresh, o), append(p.queue, o)
	}
}

// follow finds what is needed by all that has come to be wanted.
func (p *Part) follow() {
	for len(p.queue) > 0 {
		o := p.queue[len(p.queue)-1]
		p.queue = p.queue[:len(p.queue)-1]
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
}

// takeAsIs notes what the target has already. A schema is worth telling if it was chosen and the
// dump says more of it than that it is made: who it belongs to, who may use it.
func (p *Part) takeAsIs(o *object) {
	if !o.told && !o.isTable() && (o.group != schema || o.chosen && len(o.statements) > 1) && o.group != extension {
		o.told = true
		p.kept = append(p.kept, lower(o.word)+" "+o.name.String())
	}
}

// needs wants what a statement needs. Tables are no such thing where it only points at them.
func (p *Part) needs(s *statement) {
	refs, within := references(s.item.Text)
	for _, r := range refs {
		for _, o := range p.resolve(r.name) {
			if !o.isTable() || s.role == shapes && o != s.of && !columnsOf(s.item.Text, r.name.schema)[r.start] {
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
	p.bareNames(s)
}

// methods are extensions that have operator classes of system types for an index method, which no
// statement names where they are the usual ones. A key WITHOUT OVERLAPS is an index by gist.
var methods = map[string][]string{"gist": {"btree_gist", "intarray"}, "gin": {"btree_gin"}, "overlaps": {"btree_gist"}}

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
