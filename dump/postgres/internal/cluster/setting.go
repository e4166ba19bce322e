package cluster

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A setting is a row of pg_db_role_setting: values of a role, of a database, or of a role in a
// database.
type setting struct {
	Database, Role uint32 // 0: any
	Config         []string
}

func readSettings(ctx context.Context, conn *pgx.Conn) ([]setting, error) {
	return server.Query[setting](ctx, conn, `
		SELECT setdatabase AS database, setrole AS role, setconfig AS config FROM pg_db_role_setting
		LEFT JOIN pg_roles r ON r.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase ORDER BY datname NULLS FIRST, rolname NULLS FIRST`)
}

// writeRoleSettings writes the settings of roles in any database.
func (c *cluster) writeRoleSettings(ctx context.Context, p *script.Printer) error {
	settings, err := readSettings(ctx, c.conn)
	for _, s := range settings {
		if s.Database == 0 {
			s.print(p, c.roles, "")
		}
	}
	return err
}

// of is what has the settings, as ALTER says it; database is the quoted name of theirs, if any.
func (s setting) of(all catalog.Roles, database string) string {
	switch {
	case s.Role != 0 && s.Database != 0:
		return "ROLE " + all[s.Role].Quoted + " IN DATABASE " + database
	case s.Role != 0:
		return "ROLE " + all[s.Role].Quoted
	case s.Database == 0:
		return "ROLE ALL"
	}
	return "DATABASE " + database
}

// print writes the settings; database is as in of.
func (s setting) print(p *script.Printer, all catalog.Roles, database string) {
	for _, config := range s.Config {
		name, value, _ := strings.Cut(config, "=")
		if !catalog.SettingAllowed(name) {
			continue
		}
		p.Stmt("ALTER %s SET %s TO %s", s.of(all, database), settingName(name), settingValue(name, value))
	}
}

// settingName quotes a parameter's name; an extension's has a dot in it.
func settingName(name string) string {
	parts := strings.Split(name, ".")
	for i := range parts {
		parts[i] = server.Ident(parts[i])
	}
	return strings.Join(parts, ".")
}

// quotedLists are the parameters whose value the server keeps as a list of quoted names
// (GUC_LIST_QUOTE; variable_is_guc_list_quote in dumputils.c).
var quotedLists = []string{
	"local_preload_libraries", "search_path", "session_preload_libraries",
	"shared_preload_libraries", "temp_tablespaces", "unix_socket_directories",
}

func settingValue(name, value string) string {
	if !slices.Contains(quotedLists, strings.ToLower(name)) {
		return server.Literal(value)
	}
	items := splitQuotedList(value)
	for i := range items {
		items[i] = server.Literal(items[i])
	}
	if len(items) == 0 {
		return "''"
	}
	return strings.Join(items, ", ")
}

// splitQuotedList splits a list of names at its commas and takes off their double quotes
// (SplitGUCList in dumputils.c).
func splitQuotedList(s string) []string {
	var items []string
	for s = strings.TrimSpace(s); s != ""; {
		var item strings.Builder
		if s[0] == '"' {
			i := 1
			for ; i < len(s); i++ {
				if s[i] == '"' {
					if i+1 < len(s) && s[i+1] == '"' {
						i++
					} else {
						break
					}
				}
				item.WriteByte(s[i])
			}
			s = s[min(i+1, len(s)):]
		} else {
			end := strings.IndexByte(s, ',')
			if end < 0 {
				end = len(s)
			}
			item.WriteString(strings.TrimSpace(s[:end]))
			s = s[end:]
		}
		items = append(items, item.String())
		s = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), ","))
	}
	return items
}
