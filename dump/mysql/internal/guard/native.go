package guard

import (
	"errors"
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
)

// What the clients would not read as one statement, and what no server takes as things are, is in a
// dump all the same, as a comment that this program's restore runs: the bytes of the statement as
// Go quotes them. One object that cannot be printed otherwise, and anybody who may make a procedure
// can make one, must not cost the dump of a server.

// Native writes a statement as a comment.
func (p *Printer) Native(what, label string, why error, sql string) {
	p.Comment("%+q is not for the clients: %+q", what, why.Error())
	p.Comment("%s%+q", note.Native, sql)
	p.Warn(fmt.Sprintf("%s is in the dump for this program's restore alone: %v", label, why))
}

// ErrUnreadable is why an object is not for the clients.
var ErrUnreadable = errors.New("the clients would not read its text as one statement")

// Object writes a statement that makes an object, for the clients if these read it as that.
func (p *Printer) Object(what, sql string) {
	if err := p.single(sql); err != nil {
		p.Native(what, what, fmt.Errorf("%w: %w", ErrUnreadable, err), sql)
		return
	}
	p.Out.WriteString(sql + ";\n")
}

// Lost writes what cannot be restored at all as a comment.
func (p *Printer) Lost(what, why, text string) {
	p.Comment("%+q is left out: %+q", what, why)
	p.Comment("%+q", text)
}
