package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/script"
)

// A printer writes SQL. Errors of the stream stay in the dump.Writer until its
// End; err is the first statement that would not have been read back as one.
type printer struct {
	w   *dump.Writer
	err error

	warn func(string) // is told what is left out

	noOwner, noPrivileges bool // leave those statements out

	holding bool            // statements are not written yet: one of them may turn out to be none
	held    strings.Builder // these statements
}

// stmt writes one statement and its semicolon.
//
// What a server says about its objects is not trusted: the text is written only
// if psql would send it as it is and find nothing in it to do by itself
// (CVE-2025-8714 and 8715 were of that kind).
func (p *printer) stmt(format string, args ...any) {
	if p.err != nil {
		return
	}
	sql, err := guarded(fmt.Sprintf(format, args...) + ";")
	if err != nil {
		p.err = err
		return
	}
	if p.holding {
		p.held.WriteString(sql + "\n")
		return
	}
	p.w.WriteString(sql + "\n")
}

// defined writes a statement that the server has put together. It has to begin
// as told: a server that says something else is not to be believed, and what it
// says would run as the restoring role.
func (p *printer) defined(sql string, beginnings ...string) {
	if p.err == nil && !slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(sql, b) }) {
		p.err = fmt.Errorf("the server's definition does not begin with %s: %s", strings.TrimSpace(beginnings[0]), head(sql))
		return
	}
	p.stmt("%s", sql)
}

// whole writes the statements that print makes, all or, with the error, none.
func (p *printer) whole(print func(*printer)) error {
	if p.err != nil {
		return p.err
	}
	p.holding = true
	print(p)
	err := p.err
	if err == nil {
		p.w.WriteString(p.held.String())
	}
	p.holding, p.err = false, nil
	p.held.Reset()
	return err
}

// guarded returns sql as psql will not change it, or an error where it would take it for anything but one statement.
func guarded(sql string) (string, error) {
	sql = script.Literal(sql)
	if err := script.Single(sql); err != nil {
		return "", fmt.Errorf("the server's definition is not one statement: %w: %s", err, head(sql))
	}
	return sql, nil
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
