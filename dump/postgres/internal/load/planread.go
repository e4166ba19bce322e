package load

import (
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// create reads CREATE [UNIQUE] INDEX name ON [ONLY] table, and takes note of CREATE [UNLOGGED]
// TABLE name.
func (p *planner) create(t *script.Tokens) plan {
	word := t.Next()
	if word == "unlogged" {
		word = t.Next()
	}
	if word == "table" {
		if table, _ := relationName(t, t.Next()); table != nil {
			p.made[table.String()] = true
		}
		return plan{}
	}
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
	delete(p.made, table.String())
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
			delete(p.made, table.String())
			return plan{kind: builds, touches: append(p.alone(table.String()), touch{relation: table.sibling(name)})}
		case "foreign":
			if other := references(t); other != nil {
				delete(p.made, table.String())
				return plan{kind: builds, touches: append(p.alone(table.String()), p.alone(other.String())...)}
			}
		}
	}
	return plan{}
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
