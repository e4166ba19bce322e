package postgres

import (
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// addData makes the objects that carry rows and large objects' contents, so that
// they are ordered with everything else.
func (c *catalog) addData() {
	if c.sel.SchemaOnly {
		return
	}
	rows := map[*relation]*object{}
	for _, oid := range c.relationOIDs() {
		r := c.rels[oid]
		if r.Kind != plainTable || r.emptied || r.config && r.extension.presence != chosen || !c.hasRows(r) {
			continue
		}
		o := &object{address: address{classRows, oid}, kind: kindTableData, word: "rows of", name: r.name}
		if r.config {
			o.kind = kindConfigData
		}
		o.rows = r
		o.need(r.object)
		c.objects = append(c.objects, o)
		rows[r] = o
	}
	c.orderRows(rows)
	for _, lob := range slices.Clone(c.objects) {
		if lob.class != classLargeObject || lob.hidden {
			continue
		}
		o := &object{address: address{classContent, lob.oid}, kind: kindLargeObjectData, word: "content of large object", name: lob.name}
		o.need(lob)
		c.objects = append(c.objects, o)
	}
}

// sequences lists the sequences whose states belong into the dump.
func (c *catalog) sequences() []*relation {
	if c.sel.SchemaOnly {
		return nil
	}
	var list []*relation
	for _, oid := range c.relationOIDs() {
		if r := c.rels[oid]; r.Kind == sequence && c.hasRows(r) {
			list = append(list, r)
		}
	}
	return list
}

// A sequenceState is where a sequence stands.
type sequenceState struct {
	relation *relation
	last     int64
	called   bool // the sequence gave last out
}

// addStates makes the objects that set sequences to where they stand.
func (c *catalog) addStates(states []sequenceState) {
	for _, s := range states {
		o := &object{address: address{classSetval, s.relation.oid}, kind: kindSequenceSet, word: "state of", name: s.relation.name}
		o.define = func(p *script.Printer) {
			p.Stmt("SELECT pg_catalog.setval(%s, %d, %t)", server.Literal(s.relation.name), s.last, s.called)
		}
		o.need(s.relation.object)
		c.objects = append(c.objects, o)
	}
}

// hasRows tells whether the server has what r holds: an unlogged table or sequence is empty on a standby.
func (c *catalog) hasRows(r *relation) bool {
	if c.srv.Standby && r.Persistence == "u" {
		c.warn(r.name + " is unlogged and therefore empty on a standby: its definition is dumped alone")
		return false
	}
	return true
}
