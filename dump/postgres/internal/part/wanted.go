package part

import (
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// wanted tells whether a statement is of the part, as far as what it is about says so.
func (p *Part) wanted(s *statement) bool {
	o, rules := s.of, p.Rules
	switch s.role {
	case sets:
		return true
	case shapes, points, joins:
		return o != nil && o.wanted && !o.there && !o.left && !o.without[s.member] && (!s.changes || !o.apart || o.has[s.member])
	case fills:
		return o != nil && o.wanted && o.made && !o.left && !rules.SchemaOnly && (o.chosen || !o.isTable())
	case large:
		return !rules.Including() && !rules.SchemaOnly
	case reigns:
		if o != nil { // default privileges in a schema
			return o.chosen && o.made
		}
		return !rules.Including() && (!s.old || !p.lives)
	}
	return false
}

// ifWanted hands a statement on if it is wanted and all that it points at is there.
func (p *Part) ifWanted(s *statement) error {
	if s.sent || !p.wanted(s) {
		return nil
	}
	if !p.Rules.DataOnly {
		if missing := p.missing(s); missing != nil {
			return p.leaveOut(s, missing)
		}
	}
	s.sent = true
	if s.of != nil {
		s.of.noteMade(s)
	}
	if p.Rules.DataOnly && s.role != sets && s.role != fills && s.role != large {
		return nil
	}
	p.tellBody(s)
	if err := p.send(s); err != nil {
		return err
	}
	return p.takeDefaults(s)
}

// missing is a table that a statement points at and that is not there, or nil. A foreign key's is
// not there if its rows are not, where it is made for others that came without: the rows that refer
// to it break the key.
func (p *Part) missing(s *statement) *object {
	if s.role != points && s.role != joins && s.role != reigns {
		return nil
	}
	taken := s.role != joins && p.old == "" // what the target has is as good as what the part makes
	refs, _ := references(s.item.Text)
	for _, r := range refs {
		for _, o := range p.resolve(r.name) {
			if s.member.phrase == "constraint" && o.made && !p.Rules.SchemaOnly && s.of.chosen && o.lacksRows() {
				return o
			}
			if o != s.of && o.isTable() && (!o.made || o.left) && (!o.there || !taken) && !columnsOf(s.item.Text, r.name.schema)[r.start] {
				return o
			}
		}
	}
	return nil
}

// leaveOut leaves out what points at a table that is not there.
func (p *Part) leaveOut(s *statement, missing *object) error {
	what := s.what
	switch o := s.of; {
	case o == nil:
		what = script.Head(s.item.Text)
	case s.role == joins && s.what != "":
		o.apart = true
		p.Warn(fmt.Sprintf("partition %s stays a table of its own: %s is not in the part", o.name, missing.name))
		return nil
	case s.member != member{}:
		if o.without == nil {
			o.without = map[member]bool{}
		}
		o.without[s.member] = true
	case o.isView() && o.made:
		return p.takeBack(o, missing, s.item.Line)
	case o.isView():
		o.left = true
	}
	switch {
	case what == "":
	case missing.made && !missing.left:
		p.Warn(fmt.Sprintf("%s is left out: it needs the rows of %s, which are not there", what, missing.name))
	default:
		p.Warn(fmt.Sprintf("%s is left out: it needs %s, which is not there", what, missing.name))
	}
	return p.closeBy(s)
}

// takeBack drops a view that was made before its query was known, to stand in for it, and turns out
// to need what is not there; and the views that were made of it.
func (p *Part) takeBack(o, missing *object, line int) error {
	o.made, o.left = false, true
	for _, over := range p.objects.list {
		if over != o && over.isView() && over.made && slices.ContainsFunc(over.statements, func(s *statement) bool { return p.refers(s, o) }) {
			if err := p.takeBack(over, o, line); err != nil {
				return err
			}
		}
	}
	p.Warn(fmt.Sprintf("%s %s is left out: it needs %s, which is not there", lower(o.word), o.name, missing.name))
	return p.hand(dump.Item{Kind: dump.AfterRows, Line: line, Text: "DROP " + o.word + " " + ident(p.place(o.name)) + ";"})
}

// refers tells whether a statement names an object.
func (p *Part) refers(s *statement, o *object) bool {
	refs, _ := references(s.item.Text)
	return slices.ContainsFunc(refs, func(r reference) bool { return slices.Contains(p.objects.byName[r.name], o) })
}

// send hands on a statement, and before it the settings that were made for it.
func (p *Part) send(s *statement) error {
	item := s.item
	if frame, begins, ends := frames(item.Text); s.role == sets && frame >= 0 {
		switch {
		case begins:
			p.frames[frame] = &item
			return nil
		case ends && p.frames[frame] != nil: // for nothing
			p.frames[frame] = nil
			return nil
		}
	}
	if s.role != sets {
		for i, f := range p.frames {
			if f == nil {
				continue
			}
			p.frames[i] = nil
			if err := p.hand(*f); err != nil {
				return err
			}
		}
	}
	if err := p.besideExtension(s); err != nil {
		return err
	}
	item.Text = p.rename(s)
	return p.hand(item)
}
