package load

import (
	"slices"
	"strings"

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
}

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

// shareable are the beginnings of statements that do in a transaction with others what they do by
// themselves.
var shareable = []string{
	"CREATE TABLE ", "CREATE UNLOGGED TABLE ", "CREATE SEQUENCE ", "CREATE VIEW ", "CREATE INDEX ", "CREATE UNIQUE INDEX ", "CREATE FUNCTION ", "CREATE TYPE ", "CREATE TRIGGER ",
	"ALTER TABLE ", "ALTER SEQUENCE ", "ALTER INDEX ", "ALTER VIEW ", "ALTER FUNCTION ", "ALTER TYPE ", "ALTER LARGE OBJECT ",
	"COMMENT ON ", "GRANT ", "REVOKE ", "SELECT pg_catalog.setval(", "SELECT pg_catalog.lo_create(", "SELECT pg_catalog.lo_put(",
}

// canShare tells whether a statement may be sent with others: see shareable. An index that is built
// CONCURRENTLY is none that this package writes.
func canShare(sql string) bool {
	return slices.ContainsFunc(shareable, func(beginning string) bool { return strings.HasPrefix(sql, beginning) }) && !strings.Contains(sql[:min(len(sql), 40)], "CONCURRENTLY")
}

// rows is the plan of a COPY into a table.
func (p *planner) rows(sql string) plan {
	table := copied(sql)
	if table == nil {
		return plan{}
	}
	return plan{kind: quick, touches: p.alone(table.String())}
}

// copied is the table of a COPY, or nil.
func copied(sql string) qualified {
	t := script.NewTokens(sql[:min(len(sql), planned)])
	t.Next()
	table, _ := relationName(t, t.Next())
	return table
}

// create reads CREATE [UNIQUE] INDEX name ON [ONLY] table.
func (p *planner) create(t *script.Tokens) plan {
	word := t.Next()
	if word == "unique" {
		word = t.Next()
	}
	index := identifier(t.Next())
	if word != "index" || index == "" || t.Next() != "on" {
		return plan{}
	}
	word = t.Next()
	if word == "only" {
		word = t.Next()
	}
	table, next := relationName(t, word)
	if table == nil || next != "using" {
		return plan{}
	}
	return plan{kind: builds, touches: append(p.shared(table.String()), touch{relation: table.sibling(index)})}
}

// alterTable reads what follows ALTER TABLE.
func (p *planner) alterTable(t *script.Tokens) plan {
	word := t.Next()
	if word == "only" {
		word = t.Next()
	}
	table, next := relationName(t, word)
	if table == nil {
		return plan{}
	}
	switch next + " " + t.Next() {
	case "attach partition":
		if part, _ := relationName(t, t.Next()); part != nil {
			p.attach(part.String(), table.String())
		}
	case "cluster on", "replica identity":
		return plan{kind: quick, touches: p.alone(table.String())}
	case "add constraint":
		name := identifier(t.Next())
		if name == "" {
			return plan{}
		}
		switch t.Next() {
		case "primary", "unique", "exclude":
			return plan{kind: builds, touches: append(p.alone(table.String()), touch{relation: table.sibling(name)})}
		case "foreign":
			if other := references(t); other != nil {
				return plan{kind: builds, touches: append(p.alone(table.String()), p.alone(other.String())...)}
			}
		}
	}
	return plan{}
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

// references reads a foreign key up to the name of the table that it refers to.
func references(t *script.Tokens) qualified {
	for depth := 0; ; {
		switch t.Next() {
		case "":
			return nil
		case "(":
			depth++
		case ")":
			depth--
		case "references":
			if depth > 0 {
				continue
			}
			table, _ := relationName(t, t.Next())
			return table
		}
	}
}

// refreshed reads what follows REFRESH, up to the token behind the view's name.
func refreshed(t *script.Tokens) (view qualified, next string) {
	if !reads(t, "materialized", "view") {
		return nil, ""
	}
	return relationName(t, t.Next())
}

// comment reads COMMENT ON INDEX name and COMMENT ON CONSTRAINT name ON table.
func (p *planner) comment(t *script.Tokens) plan {
	if t.Next() != "on" {
		return plan{}
	}
	switch t.Next() {
	case "index":
	case "constraint":
		if identifier(t.Next()) == "" || t.Next() != "on" {
			return plan{}
		}
	default:
		return plan{}
	}
	if name, next := relationName(t, t.Next()); name != nil && next == "is" {
		return plan{kind: quick, touches: p.alone(name.String())}
	}
	return plan{}
}

// set reads SET name = value. Forms with words of their own change more than a setting.
func set(t *script.Tokens) plan {
	name, sign := t.Next(), t.Next()
	if identifier(name) == "" || sign != "=" && sign != "to" || t.Next() == "" || t.Next() != ";" {
		return plan{kind: apart}
	}
	return plan{kind: sets, setting: name}
}

// setConfig reads SELECT pg_catalog.set_config('name', 'value', false), as it is or for servers
// that know the setting: WHERE pg_catalog.current_setting('name', true) IS NOT NULL. Any other
// SELECT may do anything.
func setConfig(t *script.Tokens) plan {
	if !reads(t, "pg_catalog", ".", "set_config", "(") {
		return plan{}
	}
	quoted := t.Next()
	t.Next()
	t.Next()
	if !reads(t, ",", "false", ")") {
		return plan{}
	}
	switch t.Next() {
	case ";":
	case "where":
		if !reads(t, "pg_catalog", ".", "current_setting", "(", quoted, ",", "true", ")", "is", "not", "null", ";") {
			return plan{}
		}
	default:
		return plan{}
	}
	return plan{kind: sets, setting: strings.Trim(quoted, "'")}
}

// reads tells whether these tokens come next.
func reads(t *script.Tokens, tokens ...string) bool {
	return !slices.ContainsFunc(tokens, func(token string) bool { return t.Next() != token })
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
