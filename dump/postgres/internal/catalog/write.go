package catalog

import (
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A Content writes what is no definition, each where it belongs among them.
type Content struct {
	Begin       func(dump.Kind)                                              // what follows is a part of that kind, of the whole database
	Rows        func(tables []*Relation, behind func(*Relation) error) error // behind is called after the rows of each
	LargeObject func(oid uint32) error
}

// Write writes the objects: definitions, rows, what is made after the rows, then privileges, which
// might forbid what comes before them, and last what has to run in the database's final state.
//
// With clean the dump drops what it makes first.
func (c *Database) Write(p *script.Printer, clean bool, in Content) error {
	in.Begin(dump.Definitions)
	objects := inOrder(c.objects)
	for _, sql := range server.Preamble(c.srv) {
		p.Stmt("%s", sql)
	}
	if clean {
		writeDrops(p, objects)
	}
	if err := c.writeSections(p, objects, in); err != nil {
		return err
	}
	in.Begin(dump.AfterRows)
	p.Mark(script.PrivilegesMark)
	for _, o := range objects {
		if o.state.granted() && c.prints(o) {
			o.writePrivileges(p)
		}
	}
	c.writeLast(p, objects)
	return p.Err()
}

// writeSections writes the objects with a mark before each section, but not what comes last.
func (c *Database) writeSections(p *script.Printer, objects []*object, in Content) error {
	var tables []*Relation
	for _, o := range objects {
		if o.rows != nil {
			tables = append(tables, o.rows)
		}
	}
	behind := c.behindRows(tables, objects)
	written, at := false, beforeData
	p.Mark("definitions")
	for _, o := range objects {
		if o.last() || !c.prints(o) || slices.Contains(behind[o.built], o) {
			continue
		}
		for ; at < o.section(); at++ {
			if at == inData {
				in.Begin(dump.AfterRows)
			}
			p.Mark([...]string{"rows, with their keys and indexes", script.AfterRowsMark}[at])
		}
		if p.Err() != nil {
			return p.Err()
		}
		switch o.kind {
		case kindConfigData, kindTableData: // all of them when the first comes
			if written {
				continue
			}
			written = true
			if err := writeRows(p, tables, behind, in); err != nil {
				return err
			}
		case kindLargeObjectData:
			in.Begin(dump.Objects)
			if err := o.needsLeft(p); err != nil {
				o.leaveOut(p, err)
			} else if err := in.LargeObject(o.OID); err != nil {
				return err
			}
		default:
			if at == inData {
				in.Begin(dump.AfterRows)
			}
			o.write(p)
		}
	}
	return nil
}

// writeRows writes the rows of all tables, each with what is behind them. Of a table that was left
// out only that is written, to be left out as well.
func writeRows(p *script.Printer, tables []*Relation, behind map[*Relation][]*object, in Content) error {
	writeBehind := func(r *Relation) error {
		for _, o := range behind[r] {
			o.write(p)
		}
		return p.Err()
	}
	tables = slices.DeleteFunc(tables, func(r *Relation) bool {
		left := r.leftWithRows(p)
		if left {
			writeBehind(r)
		}
		return left
	})
	if err := in.Rows(tables, writeBehind); err != nil {
		return err
	}
	in.Begin(dump.AfterRows)
	return nil
}

// writeLast writes what has to run in the database's final state.
func (c *Database) writeLast(p *script.Printer, objects []*object) {
	p.Mark("final state")
	if slices.ContainsFunc(objects, func(o *object) bool { return o.kind == kindRefresh && c.prints(o) }) {
		p.Stmt("%s", server.AsOwner)
	}
	for _, o := range objects {
		if o.last() && c.prints(o) {
			o.write(p)
		}
	}
}

// behindRows returns the keys and indexes of each table that can be built as soon as the table has
// its rows. They are written there, and not after the rows of all tables: a load that has several
// connections builds them while it reads on.
func (c *Database) behindRows(tables []*Relation, objects []*object) map[*Relation][]*object {
	behind := make(map[*Relation][]*object, len(tables))
	for _, r := range tables {
		behind[r] = nil
	}
	for _, o := range objects {
		if _, filled := behind[o.built]; filled && c.prints(o) && o.needsOwnRows() {
			behind[o.built] = append(behind[o.built], o)
		}
	}
	return behind
}

// needsOwnRows tells whether an index can be built when its own table has its rows and others not.
// A function that a user wrote, or an extension's that is called for each row, may read any table,
// whatever it was declared to be.
func (o *object) needsOwnRows() bool {
	return !slices.ContainsFunc(o.deps, func(d dependency) bool {
		switch d.to.kind {
		case kindDataEnds, kindSchema, kindType, kindCollation:
			return false
		case kindExtension: // of an operator class
			return o.computed
		}
		return d.to != o.built.object
	})
}

// prints tells whether an object is written: all of them, or of a dump of data only those that hold
// it. Large objects are made by their rows.
func (c *Database) prints(o *object) bool {
	return !c.sel.DataOnly || o.section() == inData || o.kind == kindLargeObject || o.kind == kindRefresh
}

// last tells whether an object is made when all else is done (pg_dump's RESTORE_PASS_POST_ACL): a
// refresh reads as a role that needs its privileges, an event trigger would fire on what follows
// it.
func (o *object) last() bool { return o.kind == kindRefresh || o.kind == kindEventTrigger }
