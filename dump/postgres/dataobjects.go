package postgres

import (
	"context"
	"slices"
)

// dataObjects makes the objects that carry rows and sequences' states, so that
// they are ordered with everything else.
func (c *catalog) dataObjects(ctx context.Context) error {
	if c.sel.schemaOnly {
		return nil
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
	states, err := c.sequenceStates(ctx)
	if err != nil {
		return err
	}
	for _, s := range states {
		o := &object{address: address{classSetval, s.relation.oid}, kind: kindSequenceSet, word: "state of", name: s.relation.name}
		o.define = func(p *printer) {
			p.stmt("SELECT pg_catalog.setval(%s, %d, %t)", literal(s.relation.name), s.last, s.called)
		}
		o.need(s.relation.object)
		c.objects = append(c.objects, o)
	}
	return nil
}

// hasRows tells whether the server has what r holds: an unlogged table or sequence is empty on a standby.
func (c *catalog) hasRows(r *relation) bool {
	if c.srv.standby && r.Persistence == "u" {
		c.warn(r.name + " is unlogged and therefore empty on a standby: its definition is dumped alone")
		return false
	}
	return true
}
