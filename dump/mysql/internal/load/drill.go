package load

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// tamed returns a statement as a drill runs it, and whether it does. The copy may be on the
// original's server: its events would do the original's work a second time, a program that names
// the original, in a way that nobody can change, would work on it, and a foreign key into another
// database would keep that from deleting what the copy refers to.
//
// The error is ErrElsewhereRows for a table whose rows are kept on another server: what is loaded
// into the copy would be written there.
func (d *nativeDump) tamed(sql []byte) (_ []byte, stays bool, err error) {
	if table, elements, ok := ddl.AddedElements(string(sql[:min(len(sql), mostKeys)])); ok && len(sql) <= mostKeys {
		kept := d.withoutFar(table, elements)
		if len(kept) < len(elements) {
			return []byte(ddl.AddElements(table, kept)), len(kept) > 0, nil
		}
		return sql, true, nil
	}
	if !script.CreatesObject(sql) { // rows are long
		return sql, true, nil
	}
	if script.IsTable(sql) {
		if engine := farEngine.FindString(quote.Emptied(string(sql))); engine != "" {
			return nil, false, fmt.Errorf("table %s (%s): %w", script.ObjectOf(sql).Name, engine, ErrElsewhereRows)
		}
		table, err := ddl.ParseTable(string(sql))
		if err != nil { // which the server says
			return sql, true, nil
		}
		if kept := d.withoutFar(script.ObjectOf(sql).Name, table.Elements); len(kept) < len(table.Elements) {
			far := slices.DeleteFunc(slices.Clone(table.Elements), func(e string) bool { return slices.Contains(kept, e) })
			return []byte(table.Without(far).String()), true, nil
		}
		return sql, true, nil
	}
	if disabled, is := script.Disabled(sql); is {
		sql = disabled
	}
	o := script.ObjectOf(sql)
	what := o.Kind + " " + o.Name
	if unsure := d.notes.OwnName.Unsure; o.Verb == "create" && (slices.Contains(unsure, what) || o.Kind == "package" && slices.Contains(unsure, "package body "+o.Name)) {
		d.cfg.Warn(fmt.Sprintf("%s is left out of the drill: it may name %s, the database that it was made in, in a way that cannot be changed", what, d.notes.OwnName.Database))
		return nil, false, nil
	}
	return sql, true, nil
}

// ErrElsewhereRows is returned by a drill's load for a table whose rows are kept on another server.
var ErrElsewhereRows = errors.New("its rows are kept on another server, and a drill would write them there")

// farEngine finds the engines of tables that have rows in a dump and keep them elsewhere; of
// FEDERATED and MERGE there are none.
var farEngine = regexp.MustCompile(`(?i)\bENGINE ?= ?(SPIDER|CONNECT|S3)\b`)

// mostKeys is longer than a statement that adds keys can be: what is longer has rows.
const mostKeys = 1 << 20

// withoutFar are a table's elements without the foreign keys into other databases.
func (d *nativeDump) withoutFar(table string, elements []string) []string {
	return slices.DeleteFunc(slices.Clone(elements), func(e string) bool {
		k, ok := ddl.ParseForeignKey(e)
		if !ok || k.Database == "" || quote.Unquoted(k.Database) == d.cfg.Database {
			return false
		}
		d.cfg.Warn(fmt.Sprintf("a foreign key of table %s into database %s is left out of the drill, as it would hold that one's rows", quote.Unquoted(table), quote.Unquoted(k.Database)))
		return true
	})
}
