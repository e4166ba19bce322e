package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// An account, as the server shows it.
type account struct {
	name     string // quoted
	create   string // what stands behind CREATE USER name
	defaults string // DEFAULT ROLE …, MySQL's
	second   string // the hash of the password before the last, in hexadecimal digits, where it is valid too: MySQL's
}

func (c *reader) readUsers(ctx context.Context, a *Contents) error {
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

func (c *reader) readUser(ctx context.Context, name string) (account, error) {
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

func (c *reader) readGrants(ctx context.Context, a *Contents, grantee string, seen map[string]bool) error {
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
			// The right to be everybody comes with the server's first account, and each server
			// shows it in a way that it does not take.
		case strings.HasPrefix(text, "GRANT PROXY "), strings.HasPrefix(text, "GRANT ") && quote.Index(text, " ON ") < 0:
			a.members = append(a.members, text)
		default:
			a.grants = append(a.grants, text)
		}
	}
	return nil
}

// alterations are what ALTER USER makes a user that is there what he was with: in two steps where
// he has two passwords.
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

// withPassword returns what is behind CREATE USER for ALTER USER: MySQL takes an empty password
// that is not written there for one that has expired.
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
