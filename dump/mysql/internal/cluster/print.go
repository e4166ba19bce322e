package cluster

import (
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// importRole is the role that administers those that a dump makes for as long as it does so:
// MariaDB lets nobody but its administrators grant a role.
const importRole = "`breaking_backups_restore`"

// PrintPeople writes what definitions name: users, roles and their members. A user who is there
// stays what he is until the rest of the dump was loaded.
func (a *Contents) PrintPeople(p *guard.Printer) {
	if len(a.users) == 0 {
		return
	}
	p.Mark("accounts")
	for _, u := range a.users {
		p.Object("user "+u.name, "CREATE USER IF NOT EXISTS "+u.name+u.create)
	}
	if len(a.roles) > 0 {
		p.Stmt("CREATE ROLE %s", importRole)
		p.Stmt("SET ROLE %s", importRole)
		for _, r := range a.roles {
			p.Stmt("CREATE OR REPLACE ROLE %s WITH ADMIN %s", r, importRole)
		}
	}
	for _, m := range a.members {
		p.Object("a member of a role", m)
	}
	if len(a.roles) > 0 {
		p.Stmt("SET ROLE NONE")
		p.Stmt("DROP ROLE %s", importRole)
	}
	for _, s := range a.servers {
		p.Stmt("DROP SERVER IF EXISTS %s", s.name)
		p.Object("server "+s.name, s.definition)
	}
}

// PrintRights writes what accounts may do, and makes those that were there what they were.
func (a *Contents) PrintRights(p *guard.Printer, databases []*catalog.Database) {
	if len(a.users) == 0 {
		return
	}
	p.Begin(dump.AfterRows, "")
	p.Mark("privileges")
	var revoked []string
	for _, g := range a.grants {
		switch why := lost(g, databases); {
		case why != nil:
			p.Native("a grant", "the privilege "+script.Head(g), why, g)
		case strings.HasPrefix(g, "REVOKE "):
			revoked = append(revoked, g)
		default:
			p.Object("a grant", g)
		}
	}
	for _, u := range a.users {
		if strings.HasPrefix(u.name, "``@") { // nobody in particular, whose password does not expire even by default
			continue
		}
		for _, what := range u.alterations() {
			p.Object("user "+u.name, "ALTER USER "+u.name+what)
		}
		if u.defaults != "" {
			p.Object("user "+u.name, "ALTER USER "+u.name+u.defaults)
		}
	}
	for _, r := range revoked { // which stop the client where the server has no partial revokes: with all else done
		p.Object("a revoke", r)
	}
}
