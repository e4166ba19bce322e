package postgres

import (
	"fmt"
	"maps"
	"slices"
)

// An object that cannot be written so that it is read back as what it is, which
// a server's superuser can make by writing into the catalogues, and whoever is
// between us and the server, does not cost the others their backup. It is left
// out with what needs it, and each is named in a warning and in a comment. Of a
// table that has it in a default or a check that part alone is left out.

// object writes an object, or leaves it out.
func (p *printer) object(o *object) {
	if o.hidden || p.err != nil {
		return
	}
	if err := p.needsLeft(o); err != nil {
		p.leave(o, err)
		return
	}
	err := p.whole(o.print)
	if err != nil && o.takesApart() && len(o.parts) > 0 {
		var parts []*object
		for _, at := range slices.SortedFunc(maps.Keys(o.parts), address.compare) {
			parts = append(parts, o.parts[at]())
		}
		o.parts = nil
		if err = p.whole(o.print); err == nil {
			for _, part := range parts {
				p.object(part)
			}
		}
	}
	if err != nil {
		p.leave(o, err)
	}
}

// needsLeft returns why an object cannot be made: there is no order for it and
// what it needs, or it needs one that was left out. Parts of a table that are why are taken out of it, and left out.
func (p *printer) needsLeft(o *object) error {
	if o.unordered != nil {
		return o.unordered
	}
	for _, d := range slices.Clone(o.deps) {
		if !d.to.left {
			continue
		}
		err := fmt.Errorf("it needs %s", d.to.describe())
		split, ok := o.parts[d.via]
		if !ok || !o.takesApart() {
			return err
		}
		delete(o.parts, d.via)
		o.drop(d.to)
		p.leave(split(), err)
	}
	return nil
}

// takesApart tells whether an object is of use without one of its parts: a view without its query is not.
func (o *object) takesApart() bool { return o.word != "VIEW" && o.word != "MATERIALIZED VIEW" }

// leave tells of an object that it is not in the dump.
func (p *printer) leave(o *object, why error) {
	o.left = true
	p.leftOut(o.describe(), why)
}

func (p *printer) leftOut(what string, why error) {
	p.warn(fmt.Sprintf("%s is left out: %v", what, why))
	// As Go quotes it: a name can hold all that ends a comment.
	fmt.Fprintf(p.w, "-- left out: %+q\n", what)
}

// orNot writes statements, or tells that they are left out.
func (p *printer) orNot(what string, print func(*printer)) {
	if p.err != nil {
		return
	}
	if err := p.whole(print); err != nil {
		p.leftOut(what, err)
	}
}

// privileges writes an object's privileges.
func (p *printer) privileges(o *object) {
	for _, g := range o.grants {
		p.orNot("a privilege on "+o.describe(), g.print)
	}
}

// leftWithRows tells of a table whether its rows have no place in the dump, and
// says so.
func (p *printer) leftWithRows(r *relation) bool {
	root := r.into()
	for _, o := range []*object{r.object, root.object} {
		if o.left {
			p.leftOut("rows of "+r.name, fmt.Errorf("they need %s", o.describe()))
			return true
		}
	}
	return false
}
