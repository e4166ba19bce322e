package server

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// An account that lacks a right is not told so: it sees less. Tables, triggers, events and programs
// that it may not see are not in the answers, and nothing says how many there are. So it is found
// out what the account may see, and whatever that leaves out is named, with the statement that ends
// it. It is a warning and no error as nobody can tell whether there is anything: a database without
// triggers needs no right to see them.

// A grant is a line of SHOW GRANTS, as far as it matters here.
type grant struct {
	privileges []string
	database   string // a pattern, unescaped; "" means all
	table      string // "" means all
	revoked    bool   // MySQL's partial revokes
}

var grantLine = regexp.MustCompile("(?s)^(GRANT|REVOKE) (.+?) ON (?:TABLE )?(\\*|`(?:[^`]|``)*`)\\.(\\*|`(?:[^`]|``)*`) (?:TO|FROM) ")

// parseGrant reads a line of SHOW GRANTS. Those of roles, proxies and single programs are none of
// these.
func parseGrant(line string) (g grant, ok bool) {
	m := grantLine.FindStringSubmatch(line)
	if m == nil {
		return g, false
	}
	g.revoked = m[1] == "REVOKE"
	for _, p := range strings.Split(m[2], ", ") {
		if !strings.ContainsAny(p, "()`") { // of columns
			g.privileges = append(g.privileges, p)
		}
	}
	if m[3] != "*" {
		g.database = quote.Unquoted(m[3])
	}
	if m[4] != "*" {
		g.table = quote.Unquoted(m[4])
	}
	return g, true
}

// A holder is an account with what it may do.
type holder struct {
	Name   string // quoted
	grants []grant
}

// Holder reads what the dump's account may do, by itself and by the roles that it has taken on.
func (c *Conn) Holder(ctx context.Context) (holder, error) {
	var h holder
	rows, err := c.List(ctx, "SELECT CURRENT_USER() AS me, CURRENT_ROLE() AS roles")
	if err != nil {
		return h, err
	}
	if len(rows) != 1 {
		return h, fmt.Errorf("the server names %d accounts", len(rows))
	}
	user, host, _ := cutLast(rows[0]["me"], "@")
	h.Name = quote.Name(user) + "@" + quote.Name(host)
	queries := []string{"SHOW GRANTS"}
	switch roles := rows[0]["roles"]; {
	case c.IsMariaDB() && roles != "":
		queries = append(queries, "SHOW GRANTS FOR CURRENT_ROLE")
	case !c.IsMariaDB() && roles != "" && roles != "NONE":
		queries = []string{"SHOW GRANTS FOR CURRENT_USER() USING " + roles}
	}
	if c.AtLeast(MariaDB, Version{10, 11, 0}) {
		queries = append(queries, "SHOW GRANTS FOR PUBLIC")
	}
	for i, q := range queries {
		lines, err := c.Firsts(ctx, q)
		if i > 0 && ErrorNumber(err) != 0 {
			continue // nobody has granted anything to that
		}
		if err != nil {
			return h, err
		}
		for _, line := range lines {
			if g, ok := parseGrant(line); ok {
				h.grants = append(h.grants, g)
			}
		}
	}
	return h, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// May tells whether the account has one of the privileges on all of a database, or on all databases
// where db is "".
func (h holder) May(db string, privileges ...string) bool {
	has := false
	for _, g := range h.grants {
		if g.table != "" || !slices.ContainsFunc(g.privileges, func(p string) bool {
			return p == "ALL PRIVILEGES" || p == "ALL" || slices.Contains(privileges, p)
		}) {
			continue
		}
		switch {
		case g.revoked && (db == "" && !Info{}.IsSystemSchema(g.database) || g.database == db):
			return false
		case !g.revoked && (g.database == "" || db != "" && matches(g.database, db)):
			has = true
		}
	}
	return has
}

// HasTables tells whether the account has rights on single tables of a database, with which it may
// be able to empty it.
func (h holder) HasTables(db string) bool {
	return slices.ContainsFunc(h.grants, func(g grant) bool { return g.table != "" && g.database == db })
}

// matches tells whether a grant's pattern is for a database.
func matches(pattern, db string) bool {
	var b strings.Builder
	b.WriteString("(?s)^")
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		case c == '%':
			b.WriteString(".*")
		case c == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	re, err := regexp.Compile(b.String() + "$")
	return err == nil && re.MatchString(db) || pattern == db
}

// WarnOfRights warns of what the account may not see of the databases; none means all of the
// server's.
func (c *Conn) WarnOfRights(ctx context.Context, names []string, warn func(string)) error {
	h, err := c.Holder(ctx)
	switch {
	case IsError(err, CodeOptionPrevents): // --skip-grant-tables: everybody may do everything
		return nil
	case ErrorNumber(err) != 0:
		warn(fmt.Sprintf("the account's own rights cannot be read, and so what it may not see is not named: %v", err))
		return nil
	case err != nil:
		return fmt.Errorf("read the account's own rights: %w", err)
	}
	if len(names) == 0 {
		names = []string{""}
	}
	for _, db := range names {
		var unseen, lacking []string
		for _, need := range []struct{ what, privilege string }{{"tables and views", "SELECT"}, {"triggers", "TRIGGER"}, {"events", "EVENT"}} {
			if !h.May(db, need.privilege) {
				unseen, lacking = append(unseen, need.what), append(lacking, need.privilege)
			}
		}
		where, scope := "database "+quote.Name(db), quote.Name(db)+".*"
		if db == "" {
			where, scope = "all databases", "*.*"
		}
		var grants []string
		if len(lacking) > 0 {
			grants = append(grants, "GRANT "+strings.Join(lacking, ", ")+" ON "+scope+" TO "+h.Name)
		}
		if grant := h.routines(c.Info, db); grant != "" {
			unseen, grants = append(unseen, "functions and procedures"), append(grants, grant)
		}
		if len(unseen) > 0 {
			warn(fmt.Sprintf("of %s the account %s may not see all %s: what it does not see is not in the dump, and nobody can tell whether there is any; %s",
				where, h.Name, strings.Join(unseen, ", "), strings.Join(grants, "; ")))
		}
	}
	return nil
}

// routines returns the statement that lets the account see all routines, or "" where it does.
func (h holder) routines(srv Info, db string) string {
	if h.May("", "SELECT") || h.May(db, "EXECUTE", "ALTER ROUTINE", "CREATE ROUTINE", "SHOW CREATE ROUTINE") {
		return ""
	}
	if srv.IsMariaDB() {
		if h.May("mysql", "SELECT") || slices.ContainsFunc(h.grants, func(g grant) bool {
			return g.database == "mysql" && g.table == "proc" && slices.Contains(g.privileges, "SELECT")
		}) {
			return ""
		}
		return "GRANT SELECT ON `mysql`.`proc` TO " + h.Name
	}
	if h.May("", "SHOW_ROUTINE") {
		return ""
	}
	return "GRANT SHOW_ROUTINE ON *.* TO " + h.Name
}
