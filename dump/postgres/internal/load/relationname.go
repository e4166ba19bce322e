package load

import (
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// qualified is a relation's name: schema and name, each quoted.
type qualified []string

func (q qualified) String() string { return strings.Join(q, ".") }

// sibling is the name of another relation in the same schema.
func (q qualified) sibling(name string) string { return q[0] + "." + name }

// relationName reads a qualified name that begins with the token given, and returns the token
// behind it. A name without its schema is none.
func relationName(t *script.Tokens, first string) (name qualified, next string) {
	name = qualified{identifier(first)}
	if next = t.Next(); next != "." {
		return nil, next
	}
	name = append(name, identifier(t.Next()))
	if name[0] == "" || name[1] == "" {
		return nil, ""
	}
	return name, t.Next()
}

// identifier returns a token that is a name in its quoted form, or the empty string.
func identifier(token string) string {
	switch {
	case len(token) > 2 && token[0] == '"' && token[len(token)-1] == '"':
		return token
	case token != "" && strings.Trim(token, "abcdefghijklmnopqrstuvwxyz0123456789_$") == "" && (token[0] == '_' || token[0] >= 'a'):
		return `"` + token + `"`
	}
	return ""
}
