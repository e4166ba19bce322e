package mysql

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A contents is what a dump of all databases holds besides these.
type contents struct {
	users   []account
	roles   []string // MariaDB's, quoted; MySQL's are users
	members []string // GRANT role TO …, GRANT PROXY …: what needs only accounts
	grants  []string // all others
	servers []remote

	timeZones bool // the server knows them by their names
}

// An account, as the server shows it.
type account struct {
	name     string // quoted
	create   string // what stands behind CREATE USER name
	defaults string // DEFAULT ROLE …, MySQL's
	second   string // the hash of the password before the last, in hexadecimal digits, where it is valid too: MySQL's
}

// A remote is a server that tables of some engines are on.
type remote struct{ name, definition string }

// A clusterReader asks a server for what it has besides databases.
type clusterReader struct {
	conn *server.Conn
	warn func(string)
}

// read reads users, roles and what they may do, and remote servers. An account that may not read those of others leaves
// them out, with a warning. What else users have made on the server and is not in a dump it warns of.
func read(ctx context.Context, conn *server.Conn, warn func(string)) (*contents, error) {
	c := &clusterReader{conn: conn, warn: warn}
	a, err := c.readAccounts(ctx)
	if err != nil {
		return nil, err
	}
	if a.timeZones, err = conn.HasTimeZones(ctx); err != nil {
		return nil, err
	}
	return a, c.warnOfLeftOut(ctx)
}

func (c *clusterReader) readAccounts(ctx context.Context) (*contents, error) {
	a := &contents{}
	err := c.readUsers(ctx, a)
	if err == nil {
		err = c.readServers(ctx, a)
	}
	if server.IsError(err, server.CodeAccessDenied, server.CodeTableDenied, server.CodeDatabaseDenied, server.CodePrivilegeNeeded) {
		c.warn(fmt.Sprintf("users, roles and grants are not in the dump: %v", err))
		return &contents{}, nil
	}
	return a, err
}

func (c *clusterReader) readUsers(ctx context.Context, a *contents) error {
	query := "SELECT user, host, 'N' AS is_role FROM mysql.user"
	if c.conn.IsMariaDB() {
		query = "SELECT user, host, is_role FROM mysql.user"
	} else if c.conn.AtLeast(server.MySQL, server.Version{8, 0, 14}) {
		query = "SELECT user, host, 'N' AS is_role, HEX(user_attributes->>'$.additional_password') AS second FROM mysql.user"
	}
	rows, err := c.conn.ListCounted(ctx, "users", query, "SELECT COUNT(*) FROM mysql.user")
	if err != nil {
		return fmt.Errorf("read users: %w", err)
	}
	slices.SortFunc(rows, func(a, b server.Record) int {
		return strings.Compare(a["user"]+"\x00"+a["host"], b["user"]+"\x00"+b["host"])
	})
	seen := make(map[string]bool) // a role's grants are shown with those of its members too
	for _, r := range rows {
		if strings.HasPrefix(r["user"], "mysql.") || strings.HasPrefix(r["user"], "mariadb.") {
			continue // the server's own
		}
		grantee := quote.Name(r["user"]) + "@" + quote.Name(r["host"])
		switch {
		case r["is_role"] == "Y" && r["user"] == "PUBLIC":
			grantee = "PUBLIC"
		case r["is_role"] == "Y":
			grantee = quote.Name(r["user"])
			a.roles = append(a.roles, grantee)
		default:
			u, err := c.readUser(ctx, grantee)
			if err != nil {
				return fmt.Errorf("read user %s: %w", grantee, err)
			}
			if u.second = r["second"]; u.second != "" {
				if err := guard.MustBe(guard.HexForm, "a password's hash", u.second); err != nil {
					return fmt.Errorf("read user %s: %w", grantee, err)
				}
			}
			a.users = append(a.users, u)
		}
		if err := c.readGrants(ctx, a, grantee, seen); err != nil {
			return fmt.Errorf("read the grants of %s: %w", grantee, err)
		}
	}
	return nil
}

func (c *clusterReader) readUser(ctx context.Context, name string) (account, error) {
	var text string
	if err := c.conn.Row(ctx, "SHOW CREATE USER "+name, &text); err != nil {
		return account{}, err
	}
	create, ok := strings.CutPrefix(text, "CREATE USER "+name)
	if !ok {
		return account{}, fmt.Errorf("the server shows %s", script.Head(text))
	}
	// A user is made before the roles of which some are its default.
	u := account{name: name, create: create}
	if begin := quote.Index(create, " DEFAULT ROLE "); begin >= 0 {
		rest := create[begin:]
		if end := quote.Index(rest, " REQUIRE "); end >= 0 {
			u.create, u.defaults = create[:begin]+rest[end:], rest[:end]
		}
	}
	return u, nil
}

func (c *clusterReader) readGrants(ctx context.Context, a *contents, grantee string, seen map[string]bool) error {
	grants, err := c.conn.Firsts(ctx, "SHOW GRANTS FOR "+grantee)
	if err != nil {
		return err
	}
	for _, text := range grants {
		if seen[text] {
			continue
		}
		seen[text] = true
		if !strings.HasPrefix(text, "GRANT ") && !strings.HasPrefix(text, "REVOKE ") && !strings.HasPrefix(text, "SET DEFAULT ROLE ") {
			return fmt.Errorf("the server shows %+q for a grant", guard.Shortened(text))
		}
		switch {
		case strings.HasPrefix(text, "GRANT PROXY ON ``@"), strings.HasPrefix(text, "GRANT PROXY ON ''@"):
			// The right to be everybody comes with the server's first account,
			// and each server shows it in a way that it does not take.
		case strings.HasPrefix(text, "GRANT PROXY "), strings.HasPrefix(text, "GRANT ") && quote.Index(text, " ON ") < 0:
			a.members = append(a.members, text)
		default:
			a.grants = append(a.grants, text)
		}
	}
	return nil
}

// readServers reads the remote servers.
func (c *clusterReader) readServers(ctx context.Context, a *contents) error {
	rows, err := c.conn.List(ctx, "SELECT * FROM mysql.servers ORDER BY server_name")
	if err != nil {
		return fmt.Errorf("read servers: %w", err)
	}
	for _, r := range rows {
		name := quote.Name(r["server_name"])
		definition := remoteDefinition(r)
		if r.Has("options") { // which have no end since MariaDB 11.7; it shows them
			shown, err := c.conn.List(ctx, "SHOW CREATE SERVER "+name)
			if err == nil && len(shown) != 1 {
				err = fmt.Errorf("the server shows %d definitions of it", len(shown))
			}
			if err != nil {
				return fmt.Errorf("read server %s: %w", name, err)
			}
			definition = strings.TrimSuffix(shown[0]["create server"], ";")
		}
		if !strings.HasPrefix(definition, "CREATE SERVER "+name+" ") {
			return fmt.Errorf("read server %s: the server shows %+q for its definition", name, guard.Shortened(definition))
		}
		a.servers = append(a.servers, remote{name, definition})
	}
	functions, err := c.conn.List(ctx, "SELECT name FROM mysql.func ORDER BY name")
	if err != nil {
		return fmt.Errorf("read loadable functions: %w", err)
	}
	for _, r := range functions {
		c.warn(fmt.Sprintf("the loadable function %s is not in the dump: it is a file of the server's", r["name"]))
	}
	return nil
}

func remoteDefinition(r server.Record) string {
	var options []string
	for _, o := range []struct{ option, column string }{
		{"HOST", "host"}, {"DATABASE", "db"}, {"USER", "username"}, {"PASSWORD", "password"}, {"SOCKET", "socket"}, {"OWNER", "owner"},
	} {
		if r[o.column] != "" {
			options = append(options, o.option+" "+quote.Literal(r[o.column]))
		}
	}
	if port := r["port"]; port != "0" && guard.IntegerForm.MatchString(port) {
		options = append(options, "PORT "+port)
	}
	return fmt.Sprintf("CREATE SERVER %s FOREIGN DATA WRAPPER %s OPTIONS (%s)", quote.Name(r["server_name"]), quote.Name(r["wrapper"]), strings.Join(options, ", "))
}

// importRole is the role that administers those that a dump makes for as long
// as it does so: MariaDB lets nobody but its administrators grant a role.
const importRole = "`breaking_backups_restore`"

// printPeople writes what definitions name: users, roles and their members. A
// user who is there stays what he is until the rest of the dump was loaded.
func (a *contents) printPeople(p *guard.Printer) {
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

// printRights writes what accounts may do, and makes those that were there what
// they were.
func (a *contents) printRights(p *guard.Printer, databases []*catalog.Database) {
	if len(a.users) == 0 {
		return
	}
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

// alterations are what ALTER USER makes a user that is there what he was with: in two steps where he has two passwords.
func (u account) alterations() []string {
	create := withPassword(u.create)
	if u.second == "" {
		return []string{create}
	}
	const begin = " IDENTIFIED WITH '"
	end := 0
	if strings.HasPrefix(create, begin) {
		if end = quote.End(create, len(begin)-1) + 1; strings.HasPrefix(create[end:], " AS ") {
			plugin, at := create[:end], end+len(" AS ")
			if end = closingOf(create, at); end > at {
				return []string{plugin + " AS 0x" + u.second, create[:end] + " RETAIN CURRENT PASSWORD" + create[end:]}
			}
		}
	}
	return []string{create}
}

// closingOf returns where the string or number ends that begins at i.
func closingOf(text string, i int) int {
	if i < len(text) && text[i] == '\'' {
		return quote.End(text, i) + 1
	}
	if n := strings.IndexByte(text[i:], ' '); n >= 0 {
		return i + n
	}
	return len(text)
}

// grantOn is a privilege on one table, view or program: what on, of what kind, in which database.
var grantOn = regexp.MustCompile("^(?:GRANT|REVOKE) (.+?) ON (TABLE |FUNCTION |PROCEDURE |PACKAGE |PACKAGE BODY |LIBRARY )?(`(?:[^`]|``)+`)\\.(`(?:[^`]|``)+`) (?:TO|FROM) ")

// privilegeColumns are those of a privilege on columns: SELECT (`a`, `b`).
var privilegeColumns = regexp.MustCompile("\\(((?:`(?:[^`]|``)+`(?:, ?)?)+)\\)")

// lost tells why no server takes a privilege: what it is on is gone, and the servers keep it all the same. A database of
// the server's own has what it has.
func lost(grant string, databases []*catalog.Database) error {
	m := grantOn.FindStringSubmatch(grant)
	if m == nil {
		return nil
	}
	name := quote.Unquoted(m[4])
	i := slices.IndexFunc(databases, func(db *catalog.Database) bool { return quote.Name(db.Name) == m[3] })
	switch {
	case server.Info{}.IsSystemSchema(quote.Unquoted(m[3])):
		return nil
	case m[2] != "" && m[2] != "TABLE ":
		kind := strings.TrimSpace(m[2])
		if i < 0 || !slices.ContainsFunc(databases[i].Routines, func(p catalog.Program) bool { return p.Kind == kind && strings.EqualFold(p.Name, name) }) {
			return fmt.Errorf("there is no %s %s.%s any more", strings.ToLower(kind), m[3], m[4])
		}
		return nil
	case i < 0:
		return gone(m)
	}
	db := databases[i]
	columns, known, there := columnsOf(db, name)
	if !there {
		return gone(m)
	}
	for _, list := range privilegeColumns.FindAllStringSubmatch(m[1], -1) {
		for rest := list[1]; known && rest != ""; rest = strings.TrimLeft(rest, ", ") {
			var column string
			if column, rest, _ = quote.CutName(rest); !ddl.HasColumn(columns, column) {
				return fmt.Errorf("%s.%s has no column %s any more", m[3], m[4], column)
			}
		}
	}
	return nil
}

// gone is why a privilege on a table that is not there is lost: unless it is one to make it.
func gone(m []string) error {
	if privileges := strings.Split(m[1], ", "); slices.Contains(privileges, "CREATE") || slices.Contains(privileges, "ALL PRIVILEGES") {
		return nil
	}
	return fmt.Errorf("there is no table %s.%s any more", m[3], m[4])
}

// columnsOf returns the quoted columns of a table or view, where they are known.
func columnsOf(db *catalog.Database, name string) (columns []string, known, there bool) {
	quoted := quote.Name(name)
	for _, t := range db.Tables {
		if t.Name == quoted {
			for _, e := range t.Definition.Elements {
				if column, _, ok := quote.CutName(e); ok {
					columns = append(columns, column)
				}
			}
			return columns, !t.Versioned, true
		}
	}
	there = db.UnknownTables > 0 || slices.ContainsFunc(db.Sequences, func(s catalog.Sequence) bool { return s.Name == name }) ||
		slices.ContainsFunc(db.Views, func(v catalog.View) bool { return v.Name == name })
	return nil, false, there
}

// withPassword returns what is behind CREATE USER for ALTER USER: MySQL takes
// an empty password that is not written there for one that has expired.
func withPassword(create string) string {
	rest, ok := strings.CutPrefix(create, " IDENTIFIED WITH '")
	if !ok {
		return create
	}
	plugin, rest, _ := strings.Cut(rest, "'")
	if strings.HasPrefix(rest, " AS ") {
		return create
	}
	return " IDENTIFIED WITH '" + plugin + "' AS ''" + rest
}
