package postgres

import (
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A printer writes SQL. It keeps no errors: those of the stream stay in the
// dump.Writer until its End.
type printer struct {
	w *dump.Writer
}

// stmt writes one statement and its semicolon.
func (p *printer) stmt(format string, args ...any) {
	fmt.Fprintf(p.w, format, args...)
	p.w.WriteString(";\n")
}

// mark writes a comment line. text is the program's own, never a server's: a
// name in a comment could end it.
func (p *printer) mark(text string) {
	p.w.WriteString("\n-- " + text + "\n\n")
}

// textOrNull is a comment's text as a literal; removing a comment is NULL.
func (p *printer) textOrNull(s string) string {
	if s == "" {
		return "NULL"
	}
	return literal(s)
}

// literal quotes s as a string constant. The dump runs with
// standard_conforming_strings on; a backslash still takes the E form, which
// means the same whatever that setting is.
func literal(s string) string {
	q := strings.ReplaceAll(s, "'", "''")
	if strings.Contains(s, `\`) {
		return "E'" + strings.ReplaceAll(q, `\`, `\\`) + "'"
	}
	return "'" + q + "'"
}

// ident quotes a name. It always quotes: which words need it differs between versions.
func ident(s string) string {
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// optionList writes storage options as WITH takes them, from reloptions' key=value.
func optionList(prefix string, options []string) []string {
	list := make([]string, len(options))
	for i, o := range options {
		key, value, _ := strings.Cut(o, "=")
		list[i] = prefix + ident(key) + "=" + literal(value)
	}
	return list
}
