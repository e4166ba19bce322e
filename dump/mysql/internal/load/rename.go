package load

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// elsewhere tells whether a dump goes into a database of another name, or why it may not.
func (d *nativeDump) elsewhere() (bool, error) {
	o := d.notes.OwnName
	if o.Database == "" || d.cfg.Database == "" || d.srv.Fold(d.cfg.Database) == d.srv.Fold(o.Database) {
		return false, nil
	}
	if len(o.Unsure) > 0 && !d.cfg.Drill {
		return false, fmt.Errorf("into %s: these name %s, the database that they were made in, beside an alias or a variable of that name, or may name it in another character set, and would go on with that one: %s; restore into a database of that name, or change them in the original",
			d.cfg.Database, o.Database, dump.Listed(o.Unsure))
	}
	d.cfg.Warn(fmt.Sprintf("these named %s, the database that they were made in, and name %s now: %s", o.Database, d.cfg.Database, dump.Listed(o.Sure)))
	return true, nil
}

// programKinds are those of what is its author's text.
var programKinds = []string{"FUNCTION", "PROCEDURE", "TRIGGER", "EVENT", "PACKAGE", "PACKAGE BODY"}

// renamed returns a statement for a database of another name.
func (d *nativeDump) renamed(sql []byte) []byte {
	o := d.notes.OwnName
	unknown := d.head.Form == note.One && o.Database == "" && !o.Nowhere
	if !d.renames && !unknown || !script.CreatesObject(sql) { // rows are long, and stay where they are
		return sql
	}
	text := string(sql)
	if !slices.ContainsFunc(programKinds, func(kind string) bool { return script.Creates(text, kind) }) {
		return sql
	}
	if unknown {
		d.warnOfOtherBytes(text)
		return sql
	}
	text, _, _ = script.Requalified(text, o.Database, d.qualifier(), d.mode, func(name string) (bool, bool) {
		return slices.Contains(o.Objects, strings.ToLower(name)), true
	})
	return []byte(text)
}

// warnOfOtherBytes warns of a program that names something in bytes that nobody here can read. The
// dump would have noted whether that is its database, if it were not an older one.
func (d *nativeDump) warnOfOtherBytes(text string) {
	if script.NamesInOtherBytes(text) {
		o := script.ObjectOf([]byte(text))
		d.cfg.Warn(fmt.Sprintf("%s %s names something in a character set of its own: if that is the database that it was made in, and that is not %s, it goes on with that one; newer dumps tell", o.Kind, o.Name, d.cfg.Database))
	}
}

// qualifier is what stands in the place of another database's name before a dot.
func (s *loading) qualifier() string {
	if q := quote.Name(s.cfg.Database) + "."; quote.IsASCII(q) { // else the program's text may be in another character set
		return q
	}
	return ""
}

// notes reads what mysqldump's dump says of the database that it is of.
func (d *toolDump) notes(texts []string) error {
	var own note.OwnName
	for _, text := range texts {
		if err := own.Read(text); err != nil {
			return err
		}
	}
	d.origin = own.Origin
	return nil
}

// renamed returns a statement for a database of another name, and whether it is to run. mysqldump
// tells nothing of the programs that name their database, and which names are its own is not known:
// a program that may mean something else by it, which nobody can change then, is left out.
func (d *toolDump) renamed(sql []byte) (_ []byte, stays bool) {
	fromServer := d.cfg.Part != nil && d.cfg.Part.From != "" // and so is for this database already
	if d.cfg.Database == "" || d.origin == "" || fromServer || d.srv.Fold(d.cfg.Database) == d.srv.Fold(d.origin) {
		return sql, true
	}
	o := script.ObjectOf(sql)
	if o.Verb != "create" || !slices.Contains(programKinds, strings.ToUpper(o.Kind)) {
		return sql, true
	}
	text, found, sure := script.Requalified(string(sql), d.origin, d.qualifier(), d.mode, func(string) (bool, bool) { return true, false })
	switch what := o.Kind + " " + o.Name; {
	case !found && script.NamesInOtherBytes(text) && script.MayName(text, d.origin):
		d.cfg.Warn(fmt.Sprintf("%s is left out: its text is in a character set of its own, and may name %s, the database that it was made in", what, d.origin))
		return nil, false
	case found && !sure:
		d.cfg.Warn(fmt.Sprintf("%s is left out: it names %s, the database that it was made in, beside an alias or a variable of that name", what, d.origin))
		return nil, false
	case found:
		d.cfg.Warn(fmt.Sprintf("%s named %s, the database that it was made in, and names %s now", what, d.origin, d.cfg.Database))
	}
	return []byte(text), true
}
