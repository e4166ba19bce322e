package part

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// given are the default privileges of a role: by schema, or for all, and by kind of object who gets
// any. What every function and type allows everybody is none of them.
const given = `
	SELECT coalesce(nspname::pg_catalog.text, '') AS schema, defaclobjtype::pg_catalog.text AS kind,
	       pg_catalog.string_agg(DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END, ', ') AS who
	FROM pg_catalog.pg_default_acl LEFT JOIN pg_catalog.pg_namespace n ON n.oid = defaclnamespace CROSS JOIN LATERAL pg_catalog.aclexplode(defaclacl)
	WHERE pg_catalog.pg_get_userbyid(defaclrole) = current_user AND grantee <> defaclrole AND defaclobjtype IN ('r', 'S', 'n')
	GROUP BY 1, 2`

// A gift is whom default privileges of the target give something.
type gift struct{ Schema, Kind, Who string }

// readGiven reads the target's default privileges.
func (p *Part) readGiven(ctx context.Context, conn *pgx.Conn) (err error) {
	if p.given, err = server.Query[gift](ctx, conn, given); err != nil {
		return fmt.Errorf("look for default privileges: %w", err)
	}
	return nil
}

// takeDefaults takes from what a statement has made the privileges that the target gives to
// everything that is made there: a copy is to be read by those alone who may read the original. The
// dump's own grants come behind it.
func (p *Part) takeDefaults(s *statement) error {
	if s.of == nil {
		return nil
	}
	if s.identity != (name{}) {
		return p.takeFrom("S", "SEQUENCE", p.place(s.identity), s.item.Line)
	}
	if s.makes != s.of.name || s.of.bare {
		return nil
	}
	s.of.bare = true
	switch {
	case s.of.group == schema:
		return p.takeFrom("n", "SCHEMA", p.inTarget(s.of), s.item.Line)
	case s.of.word == sequence:
		return p.takeFrom("S", "SEQUENCE", p.place(s.of.name), s.item.Line)
	case s.of.group == relation:
		return p.takeFrom("r", "TABLE", p.place(s.of.name), s.item.Line)
	}
	return nil
}

// takeFrom takes them from one object.
func (p *Part) takeFrom(kind, word string, n name, line int) error {
	var who []string
	for _, g := range p.given {
		if g.Kind == kind && (g.Schema == "" || g.Schema == n.schema) {
			who = append(who, g.Who)
		}
	}
	if len(who) == 0 {
		return nil
	}
	return p.hand(dump.Item{Kind: dump.Definitions, Line: line, Text: "REVOKE ALL ON " + word + " " + ident(n) + " FROM " + strings.Join(who, ", ") + ";"})
}
