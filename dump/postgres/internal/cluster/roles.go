package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

type roleRow struct {
	Raw, Name                                                        string // Name: quoted
	Super, Inherit, CreateRole, CreateDB, Login, Replication, Bypass bool
	Limit                                                            int32
	Password, Until, Comment                                         *string
}

// writeRoles writes the roles. One that exists already, as the role that restores does, is only
// altered. Passwords are read where the dumping role may: they are in pg_authid, which superusers
// see and whom they let.
func (c *cluster) writeRoles(ctx context.Context, p *script.Printer) error {
	var seesPasswords bool
	err := c.conn.QueryRow(ctx, `SELECT has_table_privilege('pg_authid', 'SELECT')`).Scan(&seesPasswords)
	if err != nil {
		return err
	}
	table, password := "pg_authid", "rolpassword"
	if !seesPasswords {
		table, password = "pg_roles", "NULL::text"
		c.warn("roles are dumped without their passwords, which the dumping role may not see: " + c.srv.ToGrant("pg_authid") + ", or dump as a superuser; else set them anew after a restore")
	}
	rows, err := server.Query[roleRow](ctx, c.conn, `
		SELECT rolname AS raw, quote_ident(rolname) AS name, rolsuper AS super, rolinherit AS inherit, rolcreaterole AS create_role,
		       rolcreatedb AS create_db, rolcanlogin AS login, rolreplication AS replication, rolbypassrls AS bypass,
		       rolconnlimit AS limit, `+password+` AS password, rolvaliduntil::text AS until, shobj_description(oid, 'pg_authid') AS comment
		FROM `+table+` WHERE rolname !~ '^pg_' ORDER BY rolname`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		p.Stmt("DO %s", server.Literal(fmt.Sprintf("BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %s) THEN EXECUTE %s; END IF; END",
			server.Literal(r.Raw), server.Literal("CREATE ROLE "+r.Name))))
	}
	for _, r := range rows {
		if r.Limit != -1 {
			p.Stmt("ALTER ROLE %s CONNECTION LIMIT %d", r.Name, r.Limit)
		}
		p.Stmt("%s", r.alter())
		if r.Comment != nil {
			p.Stmt("COMMENT ON ROLE %s IS %s", r.Name, server.Literal(*r.Comment))
		}
	}
	return nil
}

// alter gives a role all that it may do and its password.
func (r roleRow) alter() string {
	s := "ALTER ROLE " + r.Name + " WITH"
	for _, flag := range []struct {
		on   bool
		word string
	}{
		{r.Super, "SUPERUSER"},
		{r.Inherit, "INHERIT"},
		{r.CreateRole, "CREATEROLE"},
		{r.CreateDB, "CREATEDB"},
		{r.Login, "LOGIN"},
		{r.Replication, "REPLICATION"},
		{r.Bypass, "BYPASSRLS"},
	} {
		if flag.on {
			s += " " + flag.word
		} else {
			s += " NO" + flag.word
		}
	}
	if r.Password != nil {
		s += " PASSWORD " + server.Literal(*r.Password)
	}
	if r.Until != nil {
		s += " VALID UNTIL " + server.Literal(*r.Until)
	}
	return s
}

// writeMemberships writes who is in which role. Since 16 a membership has its own INHERIT and SET,
// and its grantor counts; before, the grantor may be a role that was dropped.
func (c *cluster) writeMemberships(ctx context.Context, p *script.Printer) error {
	type row struct {
		Role, Member                string
		Grantor                     *string
		Admin                       bool
		Inherit, Set                *bool
		GrantorID, MemberID, RoleID uint32
	}
	options := "NULL::bool AS inherit, NULL::bool AS set"
	if c.srv.Version >= 160000 {
		options = "a.inherit_option AS inherit, a.set_option AS set"
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT quote_ident(r.rolname) AS role, quote_ident(m.rolname) AS member, quote_ident(g.rolname) AS grantor, a.admin_option AS admin, `+options+`,
		       a.grantor AS grantor_id, a.member AS member_id, a.roleid AS role_id
		FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member LEFT JOIN pg_roles g ON g.oid = a.grantor
		WHERE NOT (r.rolname ~ '^pg_' AND m.rolname ~ '^pg_')
		ORDER BY r.rolname, m.rolname, g.rolname`)
	if err != nil {
		return err
	}
	// A grant can stand only after the one that gave its grantor the ADMIN OPTION.
	done := map[[2]uint32]bool{}
	for len(rows) > 0 {
		ready := func(m row) bool {
			return m.GrantorID == catalog.BootstrapUser || c.srv.Version < 160000 || done[[2]uint32{m.RoleID, m.GrantorID}]
		}
		i := max(slices.IndexFunc(rows, ready), 0) // a superuser may grant without being a member
		m := rows[i]
		rows = slices.Delete(rows, i, i+1)
		if m.Admin {
			done[[2]uint32{m.RoleID, m.MemberID}] = true
		}
		var with []string
		if m.Admin {
			with = append(with, "ADMIN OPTION")
		}
		if m.Inherit != nil {
			with = append(with, "INHERIT "+boolWord(*m.Inherit), "SET "+boolWord(*m.Set))
		}
		s := "GRANT " + m.Role + " TO " + m.Member
		if len(with) > 0 {
			s += " WITH " + strings.Join(with, ", ")
		}
		if m.Grantor != nil {
			s += " GRANTED BY " + *m.Grantor
		}
		p.Stmt("%s", s)
	}
	return nil
}

func boolWord(b bool) string {
	if b {
		return "TRUE"
	}
	return "FALSE"
}

// writeParameterGrants writes the privileges on configuration parameters (15).
func (c *cluster) writeParameterGrants(ctx context.Context, p *script.Printer) error {
	if c.srv.Version < 150000 {
		return nil
	}
	type row struct {
		Name string
		ACL  []string `db:"acl"`
		Def  []string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT parname AS name, paracl::text[] AS acl, acldefault('p', 10)::text[] AS def FROM pg_parameter_acl ORDER BY parname`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		granted, err := c.roles.GrantsOn("PARAMETER "+settingName(r.Name), "", catalog.BootstrapUser, r.ACL, r.Def, c.warn)
		if err != nil {
			return err
		}
		granted.Print(p)
	}
	return nil
}
