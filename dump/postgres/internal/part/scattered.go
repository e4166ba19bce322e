package part

import "fmt"

// scattered returns an error if a partition stays out whose rows the dump has among those of the
// table that it is a part of: a table by the hash of an enum is loaded as a whole, as a row may
// belong into another of its partitions than before.
func (p *Part) scattered() error {
	if p.Rules.SchemaOnly {
		return nil
	}
	of := map[*object]*object{}
	for _, o := range p.objects.list {
		for _, part := range o.parts {
			of[part] = o
		}
	}
	for _, o := range p.objects.list {
		if !o.out || of[o] == nil {
			continue
		}
		root, spread := o, p.scatters(o)
		for up, seen := of[o], 0; up != nil && seen < len(of); up, seen = of[up], seen+1 {
			root, spread = up, spread || p.scatters(up)
		}
		if spread && root.chosen {
			return fmt.Errorf("partition %s cannot be left out of %s: the dump has its rows among those of the others, as they are spread by the hash of an enum", o.name, root.name)
		}
	}
	return nil
}

// scatters tells whether a table is partitioned by the hash of a column whose type the dump makes
// as an enum, or as a domain, which may be over one.
func (p *Part) scatters(o *object) bool {
	if len(o.statements) == 0 || !o.isTable() {
		return false
	}
	c := read(o.statements[0].item.Text)
	if !c.to("partition") || !c.take("by", "hash") {
		return false
	}
	keys := map[string]bool{}
	for _, t := range tokenize(c.parenthesised()) {
		keys[t.text] = keys[t.text] || t.names()
	}
	for i := 1; i+1 < len(c.list); i++ {
		if before := c.list[i-1]; !c.list[i].names() || !keys[c.list[i].text] || !before.isSign("(") && !before.isSign(",") {
			continue
		}
		c.at = i + 1
		for _, of := range p.objects.byName[c.name()] {
			if of.group == typ && (of.word == "DOMAIN" || of.isEnum()) {
				return true
			}
		}
	}
	return false
}

// isEnum tells whether a type is made as an enum.
func (o *object) isEnum() bool {
	for _, s := range o.statements {
		if c := read(s.item.Text); c.take("create", "type") && c.to("as") && c.take("enum") {
			return true
		}
	}
	return false
}
