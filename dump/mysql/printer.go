package mysql

import (
	"fmt"
	"io"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A printer writes SQL. Errors of the stream stay in its dump.Writer until that one's End, and what it refuses to write
// in itself: err tells both.
type printer struct {
	w       output
	session settings // as the statements written so far leave them
	refused error    // the first statement that is none
	warn    func(string)
	// qualified is set in a dump of several databases, which names them.
	qualified bool
}

// An output is what a dump is written to.
type output interface {
	io.Writer
	io.StringWriter
}

// loadMode is the sql_mode in which a dump is loaded: every value that the
// server held is taken as it is.
const loadMode = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES"

// home are the settings in which tables are made and rows are loaded.
func home() settings {
	mode := loadMode
	return settings{charset: "utf8mb4", sqlMode: &mode, timeZone: "+00:00"}
}

// sandbox has MariaDB's client refuse its commands from here on (CVE-2024-21096): those of 10.5.25, 10.6.18, 10.11.8
// and later. Older ones stop here, at a command that they do not know; to that of MySQL it is a comment. It may stand
// in any line.
const sandbox = "/*M!999999\\- enable the sandbox mode */\n"

// preamble makes the loading session read the dump as it was written.
func (p *printer) preamble(srv server.Info, databases []*database, needs []string, own note.OwnName, position string, zones bool) {
	p.w.WriteString(sandbox)
	p.comment(note.Server+"%s %s", srv.Family, srv.Version)
	if position != "" {
		p.comment("position of the binary log: %s", position)
	}
	if zones {
		p.comment(note.TimeZones)
	}
	switch t := firstTable(databases, func(t *table) bool { return t.zone != "" }); {
	case t == nil:
	case t.zone == systemZone:
		p.comment(note.MachineZone+"%+q", t.machineZone)
	default:
		p.comment(note.Zone+"%+q", t.zone)
	}
	if p.qualified {
		for _, db := range databases {
			p.comment(note.Database+"%+q", db.name)
		}
	} else {
		p.noteOwnNames(own)
	}
	p.stmt("SET NAMES utf8mb4")
	p.stmt("SET sql_mode = '%s', time_zone = '+00:00'", loadMode)
	for _, sql := range needs {
		p.stmt("%s", sql)
	}
	p.session = home()
}

// err is the first error of the stream, or the first statement that was refused.
func (p *printer) err() error {
	if p.refused != nil {
		return p.refused
	}
	_, err := p.w.Write(nil)
	return err
}

// stmt writes one statement and its semicolon. It is the guard that all statements but those that insert rows pass:
// what clients would read otherwise is not written, and the dump ends with err.
func (p *printer) stmt(format string, args ...any) {
	sql := fmt.Sprintf(format, args...)
	if err := p.single(sql); err != nil {
		p.refuse(fmt.Errorf("%+q: clients would not read it as one statement: %w", script.Head(sql), err))
		return
	}
	p.w.WriteString(sql + ";\n")
}

// single tells whether clients read a statement as one in the session as it is.
func (p *printer) single(sql string) error {
	mode := ""
	if p.session.sqlMode != nil {
		mode = *p.session.sqlMode
	}
	return script.Single(sql, readings(mode)...)
}

func (p *printer) refuse(err error) {
	if p.refused == nil {
		p.refused = err
	}
}

// comment writes a comment, which is one line: text is the program's own, or quoted as Go quotes (%+q). Else a line feed
// in it would begin a statement, or a line that looks like one of ours.
func (p *printer) comment(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		p.refuse(fmt.Errorf("%+q: a comment with letters that are not quoted", text))
		return
	}
	p.w.WriteString("-- " + text + "\n")
}

// mark writes a comment line between blank ones.
func (p *printer) mark(format string, args ...any) {
	p.w.WriteString("\n")
	p.comment(format, args...)
	p.w.WriteString("\n")
}

// in changes the session's settings to those given.
func (p *printer) in(s settings) {
	if err := s.check(); err != nil {
		p.refuse(err)
		return
	}
	var list []string
	if s.charset != p.session.charset || s.collation != p.session.collation {
		if s.collation == "" {
			p.stmt("SET NAMES %s", s.charset)
		} else {
			list = append(list, "character_set_client = "+s.charset, "collation_connection = "+s.collation)
		}
		p.session.charset, p.session.collation = s.charset, s.collation
	}
	if s.sqlMode != nil && *s.sqlMode != *p.session.sqlMode {
		list = append(list, "sql_mode = "+quote.Literal(*s.sqlMode))
		p.session.sqlMode = s.sqlMode
	}
	if s.timeZone != "" && s.timeZone != p.session.timeZone {
		list = append(list, "time_zone = "+quote.Literal(s.timeZone))
		p.session.timeZone = s.timeZone
	}
	if len(list) > 0 {
		p.stmt("SET %s", strings.Join(list, ", "))
	}
}

// databaseName is how ALTER DATABASE names the database: the one that is used
// needs no name.
func (p *printer) databaseName(db *database) string {
	if p.qualified {
		return quote.Name(db.name) + " "
	}
	return ""
}
