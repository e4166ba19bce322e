package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// grants are the GRANT and REVOKE statements that bring one object's privileges from what it is
// born with to what they are.
type grants struct {
	target string // "TABLE public.t"
	column string // quoted, for privileges on a column; else empty
	owner  role
	prefix string // before GRANT and REVOKE: ALTER DEFAULT PRIVILEGES …
	full   string // the letters that together are ALL; empty where that is not known
	grant  []aclItem
	revoke []aclItem
}

// An aclItem is one entry of an access control list as aclitemout writes it:
// grantee=privileges/grantor, a star after each privilege that may be passed on.
type aclItem struct {
	grantee string // as it is, not quoted; empty is PUBLIC
	privs   string // letters without grant option
	options string // letters with grant option
	grantor string
}

// parseACLItem reads one entry.
func parseACLItem(s string) (aclItem, error) {
	bad := fmt.Errorf("access privilege %q: grantee=privileges/grantor expected", s)
	var it aclItem
	var ok bool
	rest := s
	if it.grantee, rest, ok = cutRole(rest); !ok || !strings.HasPrefix(rest, "=") {
		return it, bad
	}
	letters, rest, ok := strings.Cut(rest[1:], "/")
	if !ok {
		return it, bad
	}
	for i, l := range letters {
		switch {
		case l == '*':
		case strings.HasPrefix(letters[i+1:], "*"):
			it.options += string(l)
		default:
			it.privs += string(l)
		}
	}
	if it.grantor, rest, ok = cutRole(rest); !ok || rest != "" {
		return it, bad
	}
	return it, nil
}

// cutRole reads a role's name, quoted with doubled quotes where it needs be (putid in the server's
// acl.c), and returns what follows it.
func cutRole(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, "=/")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		return b.String(), s[i+1:], true
	}
	return "", "", false
}

// aclName writes a role's name as aclitemout does.
func aclName(name string) string {
	for _, r := range name {
		if r != '_' && (r >= 0x80 || !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')) {
			return server.Ident(name)
		}
	}
	return name
}

type privilege struct {
	letter byte
	word   string
}

// privileges gives each letter its word, in the order in which the server lists them.
var privileges = []privilege{
	{'a', "INSERT"},
	{'r', "SELECT"},
	{'w', "UPDATE"},
	{'d', "DELETE"},
	{'D', "TRUNCATE"},
	{'x', "REFERENCES"},
	{'t', "TRIGGER"},
	{'m', "MAINTAIN"},
	{'X', "EXECUTE"},
	{'U', "USAGE"},
	{'C', "CREATE"},
	{'c', "CONNECT"},
	{'T', "TEMPORARY"},
	{'s', "SET"},
	{'A', "ALTER SYSTEM"},
}

// words lists privileges for GRANT or REVOKE. The whole set is ALL, which means what it says in a
// server version that knows more privileges, or fewer.
func (g grants) words(letters string) string {
	if g.full != "" && strings.Trim(g.full, letters) == "" {
		return "ALL"
	}
	var words []string
	for _, p := range privileges {
		if strings.IndexByte(letters, p.letter) < 0 {
			continue
		}
		if g.column != "" {
			words = append(words, p.word+"("+g.column+")")
		} else {
			words = append(words, p.word)
		}
	}
	return strings.Join(words, ",")
}

// grantOn notes what was granted on an object: see Roles.GrantsOn.
func (c *Database) grantOn(o *object, word string, owner uint32, acl, def []string) error {
	return c.grantColumn(o, word+" "+o.Name, "", owner, acl, def)
}

func (c *Database) grantColumn(o *object, target, column string, owner uint32, acl, def []string) error {
	g, err := c.roles.GrantsOn(target, column, owner, acl, def, c.warn)
	if err == nil && g.Any() {
		o.grants = append(o.grants, g)
	}
	return err
}

// Roles are a server's, by their OIDs.
type Roles map[uint32]role

// GrantsOn finds how acl differs from def, the privileges that what is called target, or a column
// of it, is born with. A nil acl is one that was never touched. warn is told of privileges that
// have no word here.
func (rs Roles) GrantsOn(target, column string, owner uint32, acl, def []string, warn func(string)) (grants, error) {
	g := grants{target: target, column: column, owner: rs[owner]}
	if acl == nil {
		return g, nil
	}
	var err error
	if g.grant, err = without(acl, def); err != nil {
		return g, fmt.Errorf("%s: %w", target, err)
	}
	if g.revoke, err = without(def, acl); err != nil {
		return g, fmt.Errorf("%s: %w", target, err)
	}
	for _, s := range def {
		if it, err := parseACLItem(s); err == nil && it.grantee == g.owner.name {
			g.full = it.privs + it.options
		}
	}
	for _, it := range slices.Concat(g.grant, g.revoke) {
		for _, letter := range it.privs + it.options {
			if !slices.ContainsFunc(privileges, func(p privilege) bool { return rune(p.letter) == letter }) {
				warn(fmt.Sprintf("%s: the privilege %q is left out: it is not known here", target, letter))
			}
		}
	}
	return g, nil
}

// Any tells whether the privileges are others than those at birth.
func (g grants) Any() bool { return len(g.grant)+len(g.revoke) > 0 }

// without parses the entries of list that are not in other.
func without(list, other []string) ([]aclItem, error) {
	var items []aclItem
	for _, s := range list {
		if slices.Contains(other, s) {
			continue
		}
		it, err := parseACLItem(s)
		if err != nil {
			return nil, err
		}
		items = append(items, it)
	}
	return items, nil
}

// Reversed brings the privileges back to what the object is born with.
func (g grants) Reversed() grants {
	g.grant, g.revoke = g.revoke, g.grant
	return g
}

// Print writes the statements: what was taken away, what the owner granted itself, and the rest in
// the order of the list, which the server keeps such that a grant stands after the grant option it
// rests on.
func (g grants) Print(p *script.Printer) {
	if p.NoPrivileges {
		return
	}
	for _, it := range g.revoke {
		if g.words(it.privs+it.options) == "" {
			continue
		}
		p.Stmt("%sREVOKE %s ON %s FROM %s", g.prefix, g.words(it.privs+it.options), g.target, roleName(it.grantee))
	}
	own := func(it aclItem) bool { return it.grantee == g.owner.name && it.grantor == g.owner.name }
	for _, it := range g.grant {
		if own(it) {
			g.printGrant(p, it)
		}
	}
	for _, it := range g.grant {
		if !own(it) {
			g.printGrant(p, it)
		}
	}
}

func (g grants) printGrant(p *script.Printer, it aclItem) {
	// Who granted is part of the privilege; only that role can grant in its name.
	borrowed := it.grantor != g.owner.name
	if borrowed {
		p.Stmt("SET SESSION AUTHORIZATION %s", roleName(it.grantor))
	}
	if g.words(it.privs) != "" {
		p.Stmt("%sGRANT %s ON %s TO %s", g.prefix, g.words(it.privs), g.target, roleName(it.grantee))
	}
	if g.words(it.options) != "" {
		p.Stmt("%sGRANT %s ON %s TO %s WITH GRANT OPTION", g.prefix, g.words(it.options), g.target, roleName(it.grantee))
	}
	if borrowed {
		p.Stmt("RESET SESSION AUTHORIZATION")
	}
}

// RoleName writes a grantee.
func roleName(name string) string {
	if name == "" {
		return "PUBLIC"
	}
	return server.Ident(name)
}
