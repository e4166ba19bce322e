package load

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// elsewhere tells whether a dump goes into a database of another name, or why it may not.
func (d *nativeDump) elsewhere() (bool, error) {
	o := d.notes.OwnName
	if o.Database == "" || d.cfg.Database == "" || d.srv.Fold(d.cfg.Database) == d.srv.Fold(o.Database) {
		return false, nil
	}
	if len(o.Unsure) > 0 {
		return false, fmt.Errorf("into %s: these name %s, the database that they were made in, beside an alias or a variable of that name, and would go on with that one: %s; restore into a database of that name, or change them in the original",
			d.cfg.Database, o.Database, dump.Listed(o.Unsure))
	}
	d.cfg.Warn(fmt.Sprintf("these named %s, the database that they were made in, and name %s now: %s", o.Database, d.cfg.Database, dump.Listed(o.Sure)))
	return true, nil
}

// programKinds are those of what is its author's text.
var programKinds = []string{"FUNCTION", "PROCEDURE", "TRIGGER", "EVENT", "PACKAGE", "PACKAGE BODY"}

// renamed returns a statement for a database of another name.
func (d *nativeDump) renamed(sql []byte) []byte {
	if !d.renames || !script.CreatesObject(sql) { // rows are long, and stay where they are
		return sql
	}
	text := string(sql)
	if !slices.ContainsFunc(programKinds, func(kind string) bool { return script.Creates(text, kind) }) {
		return sql
	}
	instead := quote.Name(d.cfg.Database) + "."
	if !quote.IsASCII(instead) { // and the program's text may be in another character set
		instead = ""
	}
	text, _, _ = script.Requalified(text, d.notes.OwnName.Database, instead, d.mode, func(name string) (bool, bool) {
		return slices.Contains(d.notes.OwnName.Objects, strings.ToLower(name)), true
	})
	return []byte(text)
}
