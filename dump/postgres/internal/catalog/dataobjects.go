package catalog

import (
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// AddData makes the objects that carry rows and large objects' contents, so that they are ordered
// with everything else.
func (c *Database) AddData() {
	if c.sel.SchemaOnly {
		return
	}
	rows := map[*Relation]*object{}
	for _, oid := range c.relationOIDs() {
		r := c.rels[oid]
		if r.Kind != plainTable || r.emptied || r.config && r.extension.state.unselected() || !c.hasRows(r) {
			continue
		}
		o := &object{Address: Address{classRows, oid}, kind: kindTableData, word: "rows of", Name: r.Name}
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
		if lob.class != classLargeObject || lob.state.hidden() {
			continue
		}
		o := &object{Address: Address{classContent, lob.OID}, kind: kindLargeObjectData, word: "content of large object", Name: lob.Name}
		o.need(lob)
		c.objects = append(c.objects, o)
	}
}

// Sequences lists the sequences whose states belong into the dump.
func (c *Database) Sequences() []*Relation {
	if c.sel.SchemaOnly {
		return nil
	}
	var list []*Relation
	for _, oid := range c.relationOIDs() {
		if r := c.rels[oid]; r.Kind == sequence && c.hasRows(r) {
			list = append(list, r)
		}
	}
	return list
}

// A SequenceState is where a sequence stands.
type SequenceState struct {
	Relation *Relation
	Last     int64
	Called   bool // the sequence gave last out
}

// AddStates makes the objects that set sequences to where they stand.
func (c *Database) AddStates(states []SequenceState) {
	for _, s := range states {
		o := &object{Address: Address{classSetval, s.Relation.Address.OID}, kind: kindSequenceSet, word: "state of", Name: s.Relation.Name}
		o.define = func(p *script.Printer) {
			p.Stmt("SELECT pg_catalog.setval(%s, %d, %t)", server.Literal(s.Relation.Name), s.Last, s.Called)
		}
		o.need(s.Relation.object)
		c.objects = append(c.objects, o)
	}
}

// hasRows tells whether the server has what r holds: an unlogged table or sequence is empty on a
// standby.
func (c *Database) hasRows(r *Relation) bool {
	if c.srv.Standby && r.Persistence == "u" {
		c.warn(r.Name + " is unlogged and therefore empty on a standby: its definition is dumped alone")
		return false
	}
	return true
}
