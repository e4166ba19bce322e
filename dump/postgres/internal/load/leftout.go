package load

import (
	"regexp"
	"strings"
)

var ownerChange = regexp.MustCompile(`^ALTER (?s:.*) OWNER TO (?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*);$`)

// skips tells whether the load leaves a statement out because owners or privileges are not wanted:
// the roles of another server may not exist here. It knows the statements as this package writes
// them.
func (cfg Config) skips(sql string) bool {
	if cfg.NoOwner && ownerChange.MatchString(sql) {
		return true
	}
	if !cfg.NoPrivileges {
		return false
	}
	for _, verb := range []string{"GRANT ", "REVOKE "} {
		// Memberships, GRANT role TO role, stay: privileges are words in capitals.
		if rest, ok := strings.CutPrefix(sql, verb); ok && rest[0] >= 'A' && rest[0] <= 'Z' {
			return true
		}
	}
	return strings.HasPrefix(sql, "ALTER DEFAULT PRIVILEGES ") || strings.HasSuffix(sql, " SESSION AUTHORIZATION;") || strings.HasPrefix(sql, "SET SESSION AUTHORIZATION ")
}
