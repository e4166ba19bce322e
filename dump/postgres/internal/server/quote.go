package server

import "strings"

// Literal quotes s as a string constant. The dump runs with standard_conforming_strings on; a
// backslash still takes the E form, which means the same whatever that setting is.
func Literal(s string) string {
	q := strings.ReplaceAll(s, "'", "''")
	if strings.Contains(s, `\`) {
		return "E'" + strings.ReplaceAll(q, `\`, `\\`) + "'"
	}
	return "'" + q + "'"
}

// Ident quotes a name. It always quotes: which words need it differs between versions.
func Ident(s string) string {
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// LiteralOrNull is literal, but for an empty text, which is NULL: that removes a comment.
func LiteralOrNull(s string) string {
	if s == "" {
		return "NULL"
	}
	return Literal(s)
}
