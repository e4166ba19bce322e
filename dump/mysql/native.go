package mysql

import (
	"errors"
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
)

// What the clients would not read as one statement, and what no server takes as things are, is in a dump all the same, as a comment that this program's restore
// runs: the bytes of the statement as Go quotes them. One object that cannot be printed otherwise, and anybody who may
// make a procedure can make one, must not cost the dump of a server.

// native writes a statement as a comment.
func (p *printer) native(what, label string, why error, sql string) {
	p.comment("%+q is not for the clients: %+q", what, why.Error())
	p.comment("%s%+q", note.Native, sql)
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
