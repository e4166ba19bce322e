package load

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// needs are what a dump refers to and does not make, as far as a database does not hold it but its
// server, or the machine: by kind, names as the server has them.
//
// They are gathered from the statements as this program's dumps have them. One that is not
// recognised needs nothing; the load will tell.
type needs struct {
	of   map[string]map[string]bool // by kind
	made map[string]bool            // "role x": the dump makes it
}

// The kinds of needs, as people are told them.
const (
	needRole       = "role"
	needExtension  = "extension"
	needLanguage   = "language"
	needTablespace = "tablespace"
	needMethod     = "table access method"
	needLocale     = "locale"
	needBuiltin    = "builtin locale"
	// The two differ: servers before 15 have collations by ICU, and no databases.
	needProvider         = "collation provider"
	needDatabaseProvider = "locale provider of databases"
)

func newNeeds() *needs {
	return &needs{of: map[string]map[string]bool{}, made: map[string]bool{}}
}

// add notes a need by the token that names it. A word in the place of a role is none.
func (n *needs) add(kind, token string) {
	name := unquoted(token)
	if name == "" || kind == needRole && token == "public" {
		return
	}
	if n.of[kind] == nil {
		n.of[kind] = map[string]bool{}
	}
	n.of[kind][name] = true
}

// unquoted is the name that a token stands for; empty: it is none.
func unquoted(token string) string {
	name := identifier(token)
	if name == "" {
		return ""
	}
	return strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
}

// see takes in a statement.
func (n *needs) see(sql string) {
	t := script.NewTokens(sql[:min(len(sql), planned)])
	switch verb := t.Next(); verb {
	case "create":
		n.seeCreation(t)
	case "alter":
		n.seeChange(t)
	case "grant", "revoke":
		n.seeRoles(t)
	case "set":
		switch t.Next() {
		case "session":
			if t.Next() == "authorization" {
				n.add(needRole, t.Next())
			}
		case "default_tablespace":
			t.Next()
			n.add(needTablespace, t.Next())
		case "default_table_access_method":
			t.Next()
			n.add(needMethod, t.Next())
		}
	}
}

func (n *needs) seeCreation(t *script.Tokens) {
	kind := t.Next()
	for creationWords[kind] {
		kind = t.Next()
	}
	name := t.Next()
	if name == "if" {
		t.Next()
		t.Next()
		name = t.Next()
	}
	switch kind {
	case "access": // METHOD
		n.made[needMethod+" "+unquoted(t.Next())] = true
	case "tablespace":
		n.made[needTablespace+" "+unquoted(name)] = true
	case "extension":
		n.add(needExtension, name)
		n.made[needLanguage+" "+unquoted(name)] = true // those of procedural languages make one by their name
	case "language":
		n.made[needLanguage+" "+unquoted(name)] = true
	case "function", "procedure":
		n.add(needLanguage, behind(t, "language"))
	case "policy":
		n.addList(t, behind(t, "to"))
	case "user": // MAPPING FOR
		t.Next()
		n.add(needRole, t.Next())
	case "table":
		n.seeStorage(t)
	case "collation", "database":
		n.seeLocale(kind, t)
	}
}

// seeStorage reads what follows CREATE TABLE name, for where and how its rows are kept.
func (n *needs) seeStorage(t *script.Tokens) {
	kinds := map[string]string{"using": needMethod, "tablespace": needTablespace}
	for depth, token := 0, t.Next(); token != ""; token = t.Next() {
		switch token {
		case "(":
			depth++
		case ")":
			depth--
		default:
			if kind := kinds[token]; kind != "" && depth == 0 {
				n.add(kind, t.Next())
			}
		}
	}
}

// seeLocale reads the options of a collation or a database. Locales of the C library are the
// machine's, and a database has them whoever else provides its own. Of ICU there is any, if the
// server is built with it: what it does not know it takes for another, with a warning at most.
func (n *needs) seeLocale(kind string, t *script.Tokens) {
	provider, locale, provides := "libc", "", needProvider
	if kind == "database" {
		provides = needDatabaseProvider
	}
	for token := t.Next(); token != ""; token = t.Next() {
		switch token {
		case "provider", "locale_provider":
			t.Next()
			provider = t.Next()
			n.add(provides, provider)
		case "tablespace":
			t.Next()
			n.add(needTablespace, t.Next())
		case "locale":
			if locale = optionText(t); kind == "database" {
				n.add(needLocale, locale)
			}
		case "lc_collate", "lc_ctype":
			n.add(needLocale, optionText(t))
		case "builtin_locale":
			n.add(needBuiltin, optionText(t))
		}
	}
	switch {
	case kind == "database":
	case provider == "libc":
		n.add(needLocale, locale)
	case provider == "builtin":
		n.add(needBuiltin, locale)
	}
}

// optionText is the string that an option is set to, as a name is written; empty: it is none.
func optionText(t *script.Tokens) string {
	t.Next()
	if text := t.Next(); len(text) > 2 && text[0] == '\'' {
		return `"` + text[1:len(text)-1] + `"`
	}
	return ""
}

func (n *needs) seeChange(t *script.Tokens) {
	switch t.Next() {
	case "default": // PRIVILEGES FOR ROLE
		n.add(needRole, behind(t, "role"))
		n.seeRoles(t)
		return
	case "role": // made before, by a block that asks whether it is there
		name := t.Next()
		if next := t.Next(); next == "with" || next == "connection" {
			n.made[needRole+" "+unquoted(name)] = true
		}
		return
	}
	for token := t.Next(); token != ""; token = t.Next() {
		if token == "owner" && t.Next() == "to" {
			n.add(needRole, t.Next())
			return
		}
	}
}

// seeRoles reads a GRANT or a REVOKE, whose roles come behind its last TO or FROM.
func (n *needs) seeRoles(t *script.Tokens) {
	role := ""
	for token := t.Next(); token != ""; token = t.Next() {
		if token == "to" || token == "from" {
			role = t.Next()
		}
	}
	n.add(needRole, role)
}

// addList adds roles with commas between them.
func (n *needs) addList(t *script.Tokens, role string) {
	n.add(needRole, role)
	for t.Next() == "," {
		n.add(needRole, t.Next())
	}
}

// behind returns the token behind a word that stands outside of parentheses; empty: there is none.
func behind(t *script.Tokens, word string) string {
	for depth := 0; ; {
		switch token := t.Next(); {
		case token == "":
			return ""
		case token == "(":
			depth++
		case token == ")":
			depth--
		case token == word && depth == 0:
			return t.Next()
		}
	}
}

// There is one statement for each kind that says which of the names given are not on the server.
var lacking = map[string]string{
	needRole:       `NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name)`,
	needExtension:  `NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions a WHERE a.name = n.name)`,
	needLanguage:   `NOT EXISTS (SELECT FROM pg_catalog.pg_language WHERE lanname = name)`,
	needTablespace: `NOT EXISTS (SELECT FROM pg_catalog.pg_tablespace WHERE spcname = name)`,
	needMethod:     `NOT EXISTS (SELECT FROM pg_catalog.pg_am WHERE amname = name)`,
	// The server knows those that it has made collations of, under whatever spelling of the
	// encoding.
	needLocale: `name NOT IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8') AND NOT EXISTS (
		SELECT FROM pg_catalog.pg_collation WHERE replace(lower(name), '-', '') IN (replace(lower(collcollate), '-', ''), replace(lower(collctype), '-', '')))
		AND NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE name IN (datcollate, datctype))`,
	needBuiltin: `CASE WHEN name IN ('C', 'C.UTF-8') THEN 170000 WHEN name = 'PG_UNICODE_FAST' THEN 180000 END > pg_catalog.current_setting('server_version_num')::pg_catalog.int4`,
	// initdb makes collations of all that ICU has; one is there without it.
	needProvider: `CASE name WHEN 'icu' THEN NOT EXISTS (SELECT FROM pg_catalog.pg_collation WHERE collprovider = 'i' AND collname <> 'unicode')
		WHEN 'builtin' THEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 170000 END`,
	needDatabaseProvider: `CASE name WHEN 'icu' THEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 150000
			OR NOT EXISTS (SELECT FROM pg_catalog.pg_collation WHERE collprovider = 'i' AND collname <> 'unicode')
		WHEN 'builtin' THEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 170000 END`,
}

// missing names what the session's server lacks.
func (n *needs) missing(ctx context.Context, s *session) (list []string, err error) {
	for _, kind := range slices.Sorted(maps.Keys(n.of)) {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(n.of[kind])), func(name string) bool {
			// What an extension brings is there with it.
			return n.made[kind+" "+name] || kind == needMethod && len(n.of[needExtension]) > 0
		})
		type row struct{ Name string }
		rows, err := server.Query[row](ctx, s.conn, "SELECT n.name FROM pg_catalog.unnest($1::pg_catalog.text[]) n(name) WHERE "+lacking[kind]+` ORDER BY n.name COLLATE "C"`, names)
		if err != nil {
			return nil, fmt.Errorf("look for each %s that the dump needs: %w", kind, err)
		}
		slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.Name, b.Name) }) // a join keeps no order
		for _, r := range rows {
			list = append(list, kind+" "+r.Name)
		}
	}
	return list, nil
}
