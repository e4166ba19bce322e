package mysql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// A dump of one database goes into one of any name. What names the database itself would go on with the old one there,
// which may be the original, on the same server. Views are the server's text: the name is left out in the dump. Programs
// are their authors': they are in the dump as they are, and those that name their database are noted at its beginning. A
// restore into another database puts that one's name there where it can tell it from other names, and else is refused.
// With no name there a word of SQL that is a table's would be that word, and a function's name one of the server's.

// ownNames takes the database's name out of what a dump of it alone holds, as far as that is the server's text, and
// returns what still names it.
func (db *database) ownNames() note.OwnName {
	own := note.OwnName{Database: db.name}
	ofDatabase := db.ofDatabase()
	of := func(name string) (bool, bool) {
		name = strings.ToLower(name)
		ours, sure := ofDatabase(name)
		if ours && !slices.Contains(own.Objects, name) {
			own.Objects = append(own.Objects, name)
		}
		return ours, sure
	}
	for i := range db.views {
		v := &db.views[i]
		if v.invalid == "" && !v.duality {
			v.definition = withoutDatabase(v.definition, db.name)
		}
	}
	for _, programs := range [][]program{db.routines, db.triggers, db.events} {
		for i := range programs {
			p := &programs[i]
			switch {
			case p.lost != "":
				continue
			case p.kind == "TRIGGER":
				p.definition = script.UnqualifiedTrigger(p.definition, db.name)
			case p.kind == "FUNCTION", p.kind == "PROCEDURE":
				p.definition = withinUsing(p.definition, db.name)
			}
			switch _, found, sure := script.Requalified(p.definition, db.name, "", script.SQLMode(*p.settings.SQLMode), of); {
			case !found:
			case sure:
				own.Sure = append(own.Sure, p.what())
			default:
				own.Unsure = append(own.Unsure, p.what())
			}
		}
	}
	return own
}

// ofDatabase tells of names, in lower case, whether things of the database have them, and whether no column has.
func (db *database) ofDatabase() func(name string) (ours, sure bool) {
	objects, columns := make(map[string]bool), make(map[string]bool)
	add := func(to map[string]bool, name string) { to[strings.ToLower(name)] = true }
	for _, t := range db.tables {
		add(objects, quote.Unquoted(t.name))
		for _, e := range t.definition.Elements {
			if name, _, ok := quote.CutName(e); ok {
				add(columns, quote.Unquoted(name))
			}
		}
	}
	for _, v := range db.views {
		add(objects, v.name)
	}
	for _, s := range db.sequences {
		add(objects, s.name)
	}
	for _, programs := range [][]program{db.routines, db.triggers, db.events} {
		for _, p := range programs {
			add(objects, p.name)
		}
	}
	return func(name string) (bool, bool) { return objects[name], !columns[name] }
}

// printOwnNames writes which they are, and warns of them: the clients change no name.
func printOwnNames(p *guard.Printer, own note.OwnName) {
	list := func(begin string, names []string) {
		for _, name := range names {
			p.Comment("%s%+q: %+q", begin, own.Database, name)
		}
	}
	list(note.NamesItself, own.Sure)
	list(note.MayNameItself, own.Unsure)
	list(note.HasOfItself, own.Objects)
	if names := slices.Concat(own.Sure, own.Unsure); len(names) > 0 {
		p.Warn(fmt.Sprintf("these name their own database, %s, and restored into another by a client go on with that one; a restore by this program puts the other's name there, or refuses: %s", own.Database, dump.Listed(names)))
	}
}

// elsewhere tells whether a dump goes into a database of another name, or why it may not.
func (d *ownDump) elsewhere() (bool, error) {
	o := d.ownName
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
func (d *ownDump) renamed(sql []byte) []byte {
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
	text, _, _ = script.Requalified(text, d.ownName.Database, instead, d.mode, func(name string) (bool, bool) {
		return slices.Contains(d.ownName.Objects, strings.ToLower(name)), true
	})
	return []byte(text)
}
