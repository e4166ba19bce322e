package load

import (
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// tamed returns a statement as a drill runs it, and whether it does. The copy may be on the
// original's server: its events would do the original's work a second time, and a program that
// names the original, in a way that nobody can change, would work on it.
func (d *nativeDump) tamed(sql []byte) (_ []byte, stays bool) {
	if !script.CreatesObject(sql) { // rows are long
		return sql, true
	}
	if disabled, is := script.Disabled(sql); is {
		sql = disabled
	}
	o := script.ObjectOf(sql)
	what := o.Kind + " " + o.Name
	if unsure := d.notes.OwnName.Unsure; o.Verb == "create" && (slices.Contains(unsure, what) || o.Kind == "package" && slices.Contains(unsure, "package body "+o.Name)) {
		d.cfg.Warn(fmt.Sprintf("%s is left out of the drill: it may name %s, the database that it was made in, in a way that cannot be changed", what, d.notes.OwnName.Database))
		return nil, false
	}
	return sql, true
}
