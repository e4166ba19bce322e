package load

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// references are what a dump's statements name that its server had, and another may lack.
type references struct {
	engines, collations, charsets, plugins, definers map[string]bool
	made                                             map[string]bool // accounts that the dump makes
}

func newReferences() *references {
	return &references{
		engines: make(map[string]bool), collations: make(map[string]bool), charsets: make(map[string]bool),
		plugins: make(map[string]bool), definers: make(map[string]bool), made: make(map[string]bool),
	}
}

// mostReferences bounds what is kept of each kind, as a dump may be anybody's.
const mostReferences = 10_000

var (
	engineNamed    = regexp.MustCompile(`\bENGINE ?= ?([A-Za-z0-9_]+)`)
	collationNamed = regexp.MustCompile(`(?i)\b(?:COLLATE ?=? ?|collation_connection ?= ?)([A-Za-z0-9_]+)`)
	charsetNamed   = regexp.MustCompile(`(?i)\b(?:CHARSET ?= ?|CHARACTER SET ?=? ?|character_set_client ?= ?|SET NAMES )([A-Za-z0-9_]+)`)
	pluginNamed    = regexp.MustCompile("^(?:CREATE|ALTER) USER (?:IF (?:NOT )?EXISTS )?(`(?:[^`]|``)*`@`(?:[^`]|``)*`)(?: IDENTIFIED (?:WITH|VIA) [`']?([A-Za-z0-9_]+))?")
	definerNamed   = regexp.MustCompile("^(?:/\\*M?!\\d*\\s*)?CREATE\\s*(?:OR REPLACE\\s+)?(?:ALGORITHM ?= ?[A-Z]+\\s*)?(?:\\*/\\s*/\\*M?!\\d*\\s*)?DEFINER ?= ?(`(?:[^`]|``)*`@`(?:[^`]|``)*`)")
)

// read takes note of what a statement names. Rows name nothing.
func (r *references) read(st statement) {
	if st.rows {
		return
	}
	text := borrowed(st.sql)
	switch {
	case script.IsTable(st.sql):
		text = quote.Emptied(text)
		keep(r.engines, engineNamed.FindAllStringSubmatch(text, -1))
		keep(r.collations, collationNamed.FindAllStringSubmatch(text, -1))
		keep(r.charsets, charsetNamed.FindAllStringSubmatch(text, -1))
	case script.IsSetting(st.sql), strings.HasPrefix(text, "CREATE DATABASE "), strings.HasPrefix(text, "ALTER DATABASE "):
		keep(r.collations, collationNamed.FindAllStringSubmatch(text, -1))
		keep(r.charsets, charsetNamed.FindAllStringSubmatch(text, -1))
	case isAccounts(st.sql):
		if m := pluginNamed.FindStringSubmatch(text); m != nil {
			keep(r.made, [][]string{m[:2]})
			if m[2] != "" {
				keep(r.plugins, [][]string{{"", m[2]}})
			}
		}
	default:
		if m := definerNamed.FindStringSubmatch(text); m != nil {
			keep(r.definers, [][]string{m})
		}
	}
}

func keep(names map[string]bool, found [][]string) {
	for _, m := range found {
		if len(names) < mostReferences {
			names[strings.Clone(m[1])] = true
		}
	}
}

// missing are those that the server lacks, each with words that say what it is. Whether it has a
// collation is asked by using it, as servers know more names than they list; the session is spoilt
// for all else.
func (r *references) missing(ctx context.Context, c *server.Conn) (missing []string, err error) {
	engines, err := lowered(ctx, c, "SELECT engine AS name FROM information_schema.engines WHERE support IN ('YES', 'DEFAULT')")
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(r.engines)) {
		if !engines[strings.ToLower(name)] {
			missing = append(missing, "engine "+name+", in whose place its tables get the server's default one")
		}
	}
	for _, kind := range []struct {
		what, variable string
		names          map[string]bool
	}{{"character set", "character_set_connection", r.charsets}, {"collation", "collation_connection", r.collations}} {
		for _, name := range slices.Sorted(maps.Keys(kind.names)) {
			err := c.Exec(ctx, "SET "+kind.variable+" = "+name)
			switch {
			case server.IsError(err, server.CodeUnknownCharset, server.CodeUnknownCollation):
				missing = append(missing, kind.what+" "+name)
			case err != nil && server.ErrorNumber(err) == 0:
				return nil, err
			}
		}
	}
	if len(r.plugins) > 0 {
		plugins, err := lowered(ctx, c, "SELECT plugin_name AS name FROM information_schema.plugins WHERE plugin_status = 'ACTIVE'")
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(r.plugins)) {
			if !plugins[strings.ToLower(name)] {
				missing = append(missing, "plugin "+name)
			}
		}
	}
	accounts, err := r.missingAccounts(ctx, c)
	return append(missing, accounts...), err
}

// missingAccounts are the definers who are no accounts of the server, and not the dump's own. An
// account that may not see others does not find out.
func (r *references) missingAccounts(ctx context.Context, c *server.Conn) (missing []string, err error) {
	if len(r.definers) == 0 {
		return nil, nil
	}
	rows, err := c.List(ctx, "SELECT user, host FROM mysql.user")
	if err != nil {
		if server.ErrorNumber(err) != 0 {
			err = nil
		}
		return nil, err
	}
	there := make(map[string]bool, len(rows))
	for _, row := range rows {
		there[quote.Name(row["user"])+"@"+quote.Name(strings.ToLower(row["host"]))] = true
	}
	for _, name := range slices.Sorted(maps.Keys(r.definers)) {
		user, rest, _ := quote.CutName(name)
		if !r.made[name] && !there[user+strings.ToLower(rest)] {
			missing = append(missing, fmt.Sprintf("account %s, who defines views or programs", name))
		}
	}
	return missing, nil
}

// lowered are the names that a query lists, in lower case.
func lowered(ctx context.Context, c *server.Conn, query string) (map[string]bool, error) {
	rows, err := c.List(ctx, query)
	names := make(map[string]bool, len(rows))
	for _, row := range rows {
		names[strings.ToLower(row["name"])] = true
	}
	return names, err
}
