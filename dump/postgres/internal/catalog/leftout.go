package catalog

import (
	"fmt"
	"maps"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// An object that cannot be written so that it is read back as what it is, which a server's
// superuser can make by writing into the catalogues, and whoever is between us and the server, does
// not cost the others their backup. It is left out with what needs it, and each is named in a
// warning and in a comment. Of a table that has it in a default or a check that part alone is left
// out.

// write writes an object, or leaves it out.
func (o *object) write(p *script.Printer) {
	if o.state.hidden() || p.Err() != nil {
		return
	}
	if err := o.needsLeft(p); err != nil {
		o.leaveOut(p, err)
		return
	}
	err := p.Whole(o.print)
	if err != nil && o.takesApart() && len(o.parts) > 0 {
		var parts []*object
		for _, at := range slices.SortedFunc(maps.Keys(o.parts), Address.compare) {
			parts = append(parts, o.parts[at]())
		}
		o.parts = nil
		if err = p.Whole(o.print); err == nil {
			for _, part := range parts {
				part.write(p)
			}
		}
	}
	if err != nil {
		o.leaveOut(p, err)
	}
}

// needsLeft returns why an object cannot be made: there is no order for it and what it needs, or it
// needs one that was left out. Parts of a table that are why are taken out of it, and left out.
func (o *object) needsLeft(p *script.Printer) error {
	if o.why != nil {
		return o.why
	}
	for _, d := range slices.Clone(o.deps) {
		if d.to.state != lost {
			continue
		}
		err := fmt.Errorf("it needs %s", d.to.describe())
		split, ok := o.parts[d.via]
		if !ok || !o.takesApart() {
			return err
		}
		delete(o.parts, d.via)
		o.drop(d.to)
		split().leaveOut(p, err)
	}
	return nil
}

// takesApart tells whether an object is of use without one of its parts: a view without its query
// is not.
func (o *object) takesApart() bool { return o.word != "VIEW" && o.word != "MATERIALIZED VIEW" }

// leaveOut tells of an object that it is not in the dump.
func (o *object) leaveOut(p *script.Printer, why error) {
	o.state, o.why = lost, why
	p.LeftOut(o.describe(), why)
}

// writePrivileges writes an object's privileges.
func (o *object) writePrivileges(p *script.Printer) {
	for _, g := range o.grants {
		p.OrNot("a privilege on "+o.describe(), g.Print)
	}
}

// leftWithRows tells of a table whether its rows have no place in the dump, and says so.
func (r *Relation) leftWithRows(p *script.Printer) bool {
	root := r.Into()
	for _, o := range []*object{r.object, root.object} {
		if o.state == lost {
			p.LeftOut("rows of "+r.Name, fmt.Errorf("they need %s", o.describe()))
			return true
		}
	}
	return false
}
