package guard

import (
	"fmt"
	"io"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// A Printer writes SQL. Errors of the stream stay in its dump.Writer until that one's End, and what
// it refuses to write in itself: Err tells both.
type Printer struct {
	Out     Output   // where rows go as they are; all else goes by the methods
	session Settings // as the statements written so far leave them
	refused error    // the first statement that is none
	Warn    func(string)
	// Qualified is set in a dump of several databases, which names them.
	Qualified bool
}

// An Output is what a dump is written to.
type Output interface {
	io.Writer
	io.StringWriter
	Begin(kind dump.Kind, name string)
}

// Begin says what part of the dump all that follows is, up to the next: that of a table by its name
// in the manifest.
func (p *Printer) Begin(kind dump.Kind, table string) { p.Out.Begin(kind, table) }

// BeginOf is Begin for a part that is of a database. A dump of one does not name it.
func (p *Printer) BeginOf(kind dump.Kind, database string) {
	if !p.Qualified {
		database = ""
	}
	p.Out.Begin(kind, database)
}

// Err is the first error of the stream, or the first statement that was refused.
func (p *Printer) Err() error {
	if p.refused != nil {
		return p.refused
	}
	_, err := p.Out.Write(nil)
	return err
}

// Stmt writes one statement and its semicolon. It is the guard that all statements but those that
// insert rows pass: what clients would read otherwise is not written, and the dump ends with Err.
func (p *Printer) Stmt(format string, args ...any) {
	sql := fmt.Sprintf(format, args...)
	if err := p.single(sql); err != nil {
		p.refuse(fmt.Errorf("%+q: clients would not read it as one statement: %w", script.Head(sql), err))
		return
	}
	p.Out.WriteString(sql + ";\n")
}

// single tells whether clients read a statement as one in the session as it is.
func (p *Printer) single(sql string) error {
	mode := ""
	if p.session.SQLMode != nil {
		mode = *p.session.SQLMode
	}
	return script.Single(sql, Readings(mode)...)
}

// At tells in what settings the statements so far have left the session.
func (p *Printer) At(s Settings) { p.session = s }

func (p *Printer) refuse(err error) {
	if p.refused == nil {
		p.refused = err
	}
}

// Comment writes a comment, which is one line: text is the program's own, or quoted as Go quotes
// (%+q). Else a line feed in it would begin a statement, or a line that looks like one of ours.
func (p *Printer) Comment(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		p.refuse(fmt.Errorf("%+q: a comment with letters that are not quoted", text))
		return
	}
	p.Out.WriteString("-- " + text + "\n")
}

// Mark writes a comment line between blank ones.
func (p *Printer) Mark(format string, args ...any) {
	p.Out.WriteString("\n")
	p.Comment(format, args...)
	p.Out.WriteString("\n")
}

// In changes the session's settings to those given.
func (p *Printer) In(s Settings) {
	if err := s.Check(); err != nil {
		p.refuse(err)
		return
	}
	var list []string
	if s.Charset != p.session.Charset || s.Collation != p.session.Collation {
		if s.Collation == "" {
			p.Stmt("SET NAMES %s", s.Charset)
		} else {
			list = append(list, "character_set_client = "+s.Charset, "collation_connection = "+s.Collation)
		}
		p.session.Charset, p.session.Collation = s.Charset, s.Collation
	}
	if s.SQLMode != nil && *s.SQLMode != *p.session.SQLMode {
		list = append(list, "sql_mode = "+quote.Literal(*s.SQLMode))
		p.session.SQLMode = s.SQLMode
	}
	if s.TimeZone != "" && s.TimeZone != p.session.TimeZone {
		list = append(list, "time_zone = "+quote.Literal(s.TimeZone))
		p.session.TimeZone = s.TimeZone
	}
	if len(list) > 0 {
		p.Stmt("SET %s", strings.Join(list, ", "))
	}
}
