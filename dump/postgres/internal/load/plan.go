package load

import (
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// A plan is what a load knows of a statement: what has to be done before it runs, and what may run
// beside it. The zero plan is that of a statement of which nothing is known: it runs alone.
type plan struct {
	kind    planKind
	touches []touch // by builds and by what is quick
	setting string  // the name of what a setting sets
}

type planKind int

const (
	// runsAlone: after all that came before it, and before all that follows.
	runsAlone planKind = iota
	// builds: an index, a key or a foreign key, which may take long.
	builds
	// quick: it waits for what touches the same relations, and for nothing else.
	quick
	// sets: a setting of the session, in which later statements run.
	sets
	// refreshes: the content of a materialized view, which is made anew and may be refused. It runs
	// alone.
	refreshes
	// analyses: the planner's statistics of tables, which may be refused. No dump has it: the load
	// says it in the end.
	analyses
	// apart: it changes what its session is in a way that no other session can be made to share.
	// From here on all runs in this one.
	apart
)

// A touch is a need for a relation that goes with others' needs for it only where all are shared:
// locks that would make one statement wait for another within the server, or one statement's need
// for another's result.
type touch struct {
	relation string // qualified and quoted
	shared   bool
}

// A planner makes plans of a database's statements. It has to see all of them: it learns which
// tables are parts of others.
//
// It knows the statements that dumps of this package are made of, as they are written there, and
// takes anything else for one that runs alone.
type planner struct {
	parents map[string]string // of partitions
	made    map[string]bool   // tables, with nothing yet that is kept beside their rows
}

func newPlanner() planner { return planner{parents: map[string]string{}, made: map[string]bool{}} }

// planned is how much of a statement is looked at, in bytes. What is longer and matters is
// recognised by its beginning.
const planned = 64 << 10

// plan makes a statement's plan.
func (p *planner) plan(sql string) plan {
	for _, call := range [...]string{"SELECT pg_catalog.lo_put(", "SELECT pg_catalog.lo_create(", "SELECT pg_catalog.setval("} {
		if strings.HasPrefix(sql, call) {
			return plan{kind: quick}
		}
	}
	if len(sql) > planned {
		if strings.HasPrefix(sql, "ALTER TABLE ") { // with a long list of a partition's values: its beginning says what it is a part of
			p.plan(sql[:planned])
		}
		return plan{}
	}
	t := script.NewTokens(sql)
	switch t.Next() {
	case "create":
		return p.create(t)
	case "alter":
		switch t.Next() {
		case "table":
			return p.alterTable(t)
		case "index":
			if index, next := relationName(t, t.Next()); index != nil && next == "alter" {
				return plan{kind: quick, touches: p.alone(index.String())}
			}
		}
	case "comment":
		return p.comment(t)
	case "set":
		return set(t)
	case "select":
		return setConfig(t)
	case "refresh":
		if view, next := refreshed(t); view != nil && next == ";" {
			return plan{kind: refreshes}
		}
	case "reset", "discard", "begin", "start", "prepare", "declare", "load", "listen":
		return plan{kind: apart}
	}
	return plan{}
}

// rows is the plan of a COPY into a table.
func (p *planner) rows(sql string) plan {
	table := copied(sql)
	if table == nil {
		return plan{}
	}
	return plan{kind: quick, touches: p.alone(table.String())}
}

// spreads tells whether rows may go into their table in several transactions at once: where they
// lie in it matters to nobody, and the table was made by this dump, which has put nothing on it yet
// that would look at a row beside others. The statement is to be as dumps have it: another may have
// options (FREEZE) that more than one session cannot have.
func (p *planner) spreads(item dump.Item) bool {
	if !item.Sorted || len(item.Text) > planned {
		return false
	}
	t := script.NewTokens(item.Text)
	t.Next()
	table, next := relationName(t, t.Next())
	if table == nil || !p.made[table.String()] {
		return false
	}
	if next == "(" {
		for next != ")" && next != "" {
			next = t.Next()
		}
		next = t.Next()
	}
	return next == "from" && reads(t, "stdin", ";")
}

// copied is the table of a COPY, or nil.
func copied(sql string) qualified {
	t := script.NewTokens(sql[:min(len(sql), planned)])
	t.Next()
	table, _ := relationName(t, t.Next())
	return table
}

// attach notes what a table is a part of. What would be a part of itself no server takes, and who
// looks for what is above it would not come to an end.
func (p *planner) attach(part, whole string) {
	for above := whole; above != ""; above = p.parents[above] {
		if above == part {
			return
		}
	}
	p.parents[part] = whole
}

// alone is the need to be the only one at a table or an index.
func (p *planner) alone(relation string) []touch {
	return append(p.above(relation), touch{relation: relation})
}

// shared is a need for a table that others may share.
func (p *planner) shared(relation string) []touch {
	return append(p.above(relation), touch{relation, true})
}

// above lists the tables that a partition is part of: what is done to them may be done to their
// partitions too.
func (p *planner) above(relation string) (list []touch) {
	for parent := p.parents[relation]; parent != ""; parent = p.parents[parent] {
		list = append(list, touch{parent, true})
	}
	return list
}
