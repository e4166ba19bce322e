package mysql

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// What the clients would not read as one statement, and what no server takes as things are, is in a dump all the same, as a comment that this program's restore
// runs: the bytes of the statement as Go quotes them. One object that cannot be printed otherwise, and anybody who may
// make a procedure can make one, must not cost the dump of a server.

// nativePrefix begins a comment that holds a statement.
const nativePrefix = "statement for breaking-backups alone "

// native writes a statement as a comment.
func (p *printer) native(what, label string, why error, sql string) {
	p.comment("%+q is not for the clients: %+q", what, why.Error())
	p.comment("%s%+q", nativePrefix, sql)
	p.warn(fmt.Sprintf("%s is in the dump for this program's restore alone: %v", label, why))
}

// errUnreadable is why an object is not for the clients.
var errUnreadable = errors.New("the clients would not read its text as one statement")

// object writes a statement that makes an object, for the clients if these read it as that.
func (p *printer) object(what, sql string) {
	if err := p.single(sql); err != nil {
		p.native(what, what, fmt.Errorf("%w: %w", errUnreadable, err), sql)
		return
	}
	p.w.WriteString(sql + ";\n")
}

// lost writes what cannot be restored at all as a comment.
func (p *printer) lost(what, why, text string) {
	p.comment("%+q is left out: %+q", what, why)
	p.comment("%+q", text)
}

// nativeStatement returns the statement that a comment holds.
func nativeStatement(comment string) (string, bool, error) {
	rest, ok := strings.CutPrefix(comment, nativePrefix)
	if !ok {
		return "", false, nil
	}
	sql, err := strconv.Unquote(rest)
	if err != nil {
		return "", true, fmt.Errorf("a statement in a comment is damaged: %w", err)
	}
	return sql, true, nil
}
