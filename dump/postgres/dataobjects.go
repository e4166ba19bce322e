package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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
		o.rows = r
		o.need(r.object)
		c.objects = append(c.objects, o)
		rows[r] = o
	}
	if c.sel.dataOnly {
		c.orderRows(rows)
	}
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

type sequenceState struct {
	relation *relation
	last     int64
	called   bool
}

// sequenceStates reads where the sequences stand, many in a query. Sequences
// are not part of a snapshot: their values are those of the moment of reading,
// which is after the snapshot, so that no value in the rows is given out again.
func (c *catalog) sequenceStates(ctx context.Context) ([]sequenceState, error) {
	const batch = 500
	var states []sequenceState
	var sequences []*relation
	for _, oid := range c.relationOIDs() {
		if r := c.rels[oid]; r.Kind == sequence && c.hasRows(r) {
			sequences = append(sequences, r)
		}
	}
	for len(sequences) > 0 {
		part := sequences[:min(batch, len(sequences))]
		sequences = sequences[len(part):]
		selects := make([]string, len(part))
		for i, r := range part {
			selects[i] = fmt.Sprintf("SELECT %d AS n, last_value, is_called FROM %s", i, r.name)
		}
		// Nobody else is kept from a sequence for the time of a dump: its lock is given back.
		if err := execAll(ctx, c.conn.PgConn(), "SAVEPOINT sequences"); err != nil {
			return nil, fmt.Errorf("read sequences: %w", err)
		}
		rows, err := c.conn.Query(ctx, strings.Join(selects, " UNION ALL ")+" ORDER BY n")
		if err != nil {
			return nil, fmt.Errorf("read sequences: %w", sequenceError(err))
		}
		got, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (sequenceState, error) {
			var i int
			var s sequenceState
			err := row.Scan(&i, &s.last, &s.called)
			s.relation = part[i]
			return s, err
		})
		if err == nil {
			err = execAll(ctx, c.conn.PgConn(), "ROLLBACK TO sequences; RELEASE sequences")
		}
		if err != nil {
			return nil, fmt.Errorf("read sequences: %w", sequenceError(err))
		}
		states = append(states, got...)
	}
	return states, nil
}

// sequenceError tells a sequence that was dropped meanwhile, which no lock prevents.
func sequenceError(err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "42P01" { // undefined_table
		return fmt.Errorf("one %w: %w", errGone, err)
	}
	return lockRoom(err)
}
