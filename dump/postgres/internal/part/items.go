package part

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// mostDefinitions bounds the definitions of a database that are kept, in bytes. A hundred thousand
// tables have less.
const mostDefinitions = 256 << 20

// errStopped is returned where nobody wants more items.
var errStopped = errors.New("stopped")

// Items hands on such of a dump's items as belong to the part. It vouches for the dump as the items
// do that it is given: it reads all of them.
func (p *Part) Items(items iter.Seq2[dump.Item, error]) iter.Seq2[dump.Item, error] {
	return func(yield func(dump.Item, error) bool) {
		p.yield = yield
		for item, err := range items {
			if err == nil {
				err = p.take(item)
			}
			switch {
			case err == errStopped:
				return
			case err != nil:
				yield(dump.Item{}, err)
				return
			}
		}
	}
}

// hand hands on an item.
func (p *Part) hand(item dump.Item) error {
	if !p.yield(item, nil) {
		return errStopped
	}
	return nil
}

// take takes the dump's next item.
func (p *Part) take(item dump.Item) error {
	if item.Head != nil {
		head, err := p.begin(*item.Head)
		if err != nil {
			return err
		}
		return p.hand(dump.Item{Head: &head})
	}
	if item.Contents != nil {
		return p.end(item.Contents)
	}
	if item.Kind == dump.Rows {
		p.rows = append(p.rows, false)
	}
	if p.From != "" {
		if item.Database != p.From || script.IsConnect(item.Text) {
			return nil
		}
		item.Database = ""
	}
	switch {
	case !p.Picks():
		return p.kind(item)
	case p.alone:
		return p.byItself(item)
	case item.Kind == dump.Definitions && !p.planned:
		return p.keep(item)
	}
	if err := p.settle(); err != nil {
		return err
	}
	return p.late(item)
}

// kind hands on an item of a database of which all objects are in the part.
func (p *Part) kind(item dump.Item) error {
	if script.IsConnect(item.Text) {
		return p.hand(item)
	}
	if item.Kind == dump.Rows {
		if p.Rules.SchemaOnly {
			return nil
		}
		return p.handRows(item)
	}
	s := newObjects().describe(item)
	var in bool
	switch s.role {
	case governs:
		in = p.From == ""
	case large, fills:
		in = !p.Rules.SchemaOnly
	default:
		in = s.role == sets || !p.Rules.DataOnly
	}
	if !in {
		return nil
	}
	return p.send(s)
}

// handRows hands on a table's rows.
func (p *Part) handRows(item dump.Item) error {
	p.rows[len(p.rows)-1] = true
	c := read(item.Text[:min(len(item.Text), 64<<10)])
	c.take("copy")
	n := c.name()
	item.Text, item.Table = p.renamed(item.Text), p.tableName(item.Table)
	if to := p.place(n); to != n {
		item.Table = to.String()
	}
	return p.hand(item)
}

// byItself hands on an item of a dump of rows alone, which says of what there is what its rows do.
func (p *Part) byItself(item dump.Item) error {
	c := read(item.Text)
	switch {
	case item.Kind == dump.Rows:
		c.take("copy")
		if in, err := p.knows(p.objects.object(relation, table, c.name())); !in || err != nil {
			return err
		}
		return p.handRows(item)
	case strings.HasPrefix(item.Text, "SELECT pg_catalog.setval("):
		for _, r := range literal(item.Text, c.list[min(5, len(c.list)-1)]) {
			p.objects.object(relation, sequence, r.name)
		}
	case c.take("refresh", "materialized", "view"):
		p.objects.object(relation, materialized, c.name())
	}
	s := p.objects.describe(item)
	in := s.role == sets || s.role == large && !p.Rules.Including()
	if s.role == fills && s.of != nil {
		var err error
		if in, err = p.knows(s.of); err != nil {
			return err
		}
		in = p.goesWith(s.of, in)
	}
	if in {
		return p.send(s)
	}
	return nil
}

// knows tells whether an object is chosen that the dump names for the first time. What goes into
// another schema has to come from that of the first one: what is of a third would go into the table
// that is there by its own name.
func (p *Part) knows(o *object) (bool, error) {
	if o.chosen = p.chooses(o); !o.chosen || p.ToSchema == "" {
		return o.chosen, nil
	}
	switch {
	case p.first == nil:
		if p.first = o; o.name.schema != p.ToSchema {
			p.old = o.name.schema
		}
	case o.name.schema != p.first.name.schema:
		return false, fmt.Errorf("%w: there are %s and %s", ErrSchemas, p.first.name, o.name)
	}
	return true, nil
}

// keep keeps a definition until all are known.
func (p *Part) keep(item dump.Item) error {
	s := p.objects.describe(item)
	if s.role == clears || s.role == governs || s.role == large && !p.wanted(s) {
		return nil
	}
	if p.size += len(item.Text); p.size > mostDefinitions {
		return fmt.Errorf("line %d: the database has definitions of more than %d bytes, of which no part can be chosen", item.Line, mostDefinitions)
	}
	s.order = len(p.statements)
	p.statements = append(p.statements, s)
	if s.of != nil && s.role != reigns {
		s.of.statements = append(s.of.statements, s)
	}
	return nil
}

// settle hands on what is wanted of the definitions. The settings at their head go first: with them
// the load looks at its target, and has it known what is there.
func (p *Part) settle() error {
	if p.planned {
		return nil
	}
	if err := p.plan(); err != nil {
		return err
	}
	at := 0
	for ; at < len(p.statements) && p.statements[at].role == sets; at++ {
		if err := p.send(p.statements[at]); err != nil {
			return err
		}
	}
	p.close()
	if err := p.openSchema(); err != nil {
		return err
	}
	for _, s := range p.statements[at:] {
		if err := p.ifWanted(s); err != nil {
			return err
		}
	}
	p.tellKept()
	return nil
}

// tellKept tells what the target has and keeps.
func (p *Part) tellKept() {
	if len(p.kept) > 0 {
		p.Warn("the target has it already, and it is taken as it is: " + dump.Listed(p.kept))
	}
	p.kept = nil
}

// openSchema makes the schema that tables go into which come from one that the dump does not make.
func (p *Part) openSchema() error {
	if p.old == "" || p.into || p.Rules.DataOnly || p.objects.byKey[key{schema, name{"", p.old}}] != nil {
		return nil
	}
	if err := p.hand(dump.Item{Kind: dump.Definitions, Text: "CREATE SCHEMA " + server.Ident(p.ToSchema) + ";"}); err != nil {
		return err
	}
	return p.takeFrom("n", "SCHEMA", name{"", p.ToSchema}, 0)
}

// late hands on what comes behind the definitions, if it is wanted, and before it what it needs of
// them and nobody has needed before.
func (p *Part) late(item dump.Item) error {
	if item.Kind == dump.Rows {
		return p.rowsOf(item)
	}
	s := p.objects.describe(item)
	p.noteBehind(s)
	if o := s.of; o != nil && len(o.statements) == 0 && o.group == relation {
		if o.chosen = p.chooses(o); o.chosen && !o.wanted {
			p.want(o)
		}
	}
	if p.wanted(s) {
		p.needs(s)
		p.follow()
		for _, needed := range p.unsent() {
			if err := p.ifWanted(needed); err != nil {
				return err
			}
		}
		p.tellKept()
	}
	return p.ifWanted(s)
}

// rowsOf hands on rows of a table that is in the part.
func (p *Part) rowsOf(item dump.Item) error {
	c := read(item.Text[:min(len(item.Text), 64<<10)])
	c.take("copy")
	o := p.objects.byKey[key{relation, c.name()}]
	switch {
	case p.Rules.SchemaOnly:
		return nil
	case o == nil && p.Rules.Including(): // an extension's
		return nil
	case o != nil && (!o.chosen || o.left || !o.made):
		return nil
	}
	return p.handRows(item)
}

// end hands on what the manifest says of the part, once all was handed on.
func (p *Part) end(contents *dump.Contents) error {
	if p.Picks() && !p.alone {
		if err := p.settle(); err != nil {
			return err
		}
	}
	if p.Picks() && p.alone {
		if err := p.unused(); err != nil {
			return err
		}
	}
	if len(p.rows) != len(contents.Tables) {
		return fmt.Errorf("the manifest lists %d tables, the dump had rows for %d", len(contents.Tables), len(p.rows))
	}
	part := &dump.Contents{}
	kept := map[string]bool{}
	for i, t := range contents.Tables {
		n := p.ofManifest(t.Name)
		if !p.rows[i] {
			if o := p.objects.byKey[key{relation, n}]; o != nil && o.chosen && o.made && !o.left && !p.Rules.SchemaOnly && p.mine(t.Name) {
				return fmt.Errorf("the rows of %s are in the dump among those of other partitions: choose all of its table", n)
			}
			continue
		}
		kept[t.Name] = true
		if t.Name = p.tableName(t.Name); p.old != "" {
			t.Name = p.place(n).String()
		}
		part.Tables = append(part.Tables, t)
	}
	for _, of := range contents.Parts {
		if of.Kind == dump.Rows && kept[of.Name] {
			of.Name = p.tableName(of.Name)
			part.Parts = append(part.Parts, of)
		}
	}
	return p.hand(dump.Item{Contents: part})
}

// mine tells whether a name of the manifest is of the database that is taken.
func (p *Part) mine(table string) bool { return p.From == "" || p.tableName(table) != table }

// tableName is a manifest's name of a table as the part's has it: without the database.
func (p *Part) tableName(table string) string {
	if p.From == "" {
		return table
	}
	list := tokenize(table)
	if len(list) != 5 || list[0].text != p.From {
		return table
	}
	return table[list[2].start:]
}

// ofManifest reads a manifest's name of a table.
func (p *Part) ofManifest(table string) name {
	c := read(p.tableName(table))
	return c.name()
}
