package catalog

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

// A dump of one database goes into one of any name. What names the database itself would go on with
// the old one there, which may be the original, on the same server. Views are the server's text:
// the name is left out in the dump. Programs are their authors': they are in the dump as they are,
// and those that name their database are noted at its beginning. A restore into another database
// puts that one's name there where it can tell it from other names, and else is refused. With no
// name there a word of SQL that is a table's would be that word, and a function's name one of the
// server's.
//
// A program that was made in another character set than UTF-8 has the name in other bytes, which
// nobody here can read: those that may have it are noted as such that cannot be told.

// OwnNames takes the database's name out of what a dump of it alone holds, as far as that is the
// server's text, and returns what still names it.
func (db *Database) OwnNames() note.OwnName {
	own := note.OwnName{Database: db.Name}
	ofDatabase := db.ofDatabase()
	of := func(name string) (bool, bool) {
		name = strings.ToLower(name)
		ours, sure := ofDatabase(name)
		if ours && !slices.Contains(own.Objects, name) {
			own.Objects = append(own.Objects, name)
		}
		return ours, sure
	}
	for i := range db.Views {
		v := &db.Views[i]
		if v.invalid == "" && !v.duality {
			v.definition = script.UnqualifiedView(v.definition, db.Name)
		}
	}
	for _, programs := range [][]Program{db.Routines, db.triggers, db.events} {
		for i := range programs {
			p := &programs[i]
			switch {
			case p.lost != "":
				continue
			case p.Kind == "TRIGGER":
				p.definition = script.UnqualifiedTrigger(p.definition, db.Name)
			case p.Kind == "FUNCTION", p.Kind == "PROCEDURE":
				p.definition = script.UnqualifiedUsing(p.definition, db.Name)
			}
			foreign := script.NamesInOtherBytes(p.definition)
			switch _, found, sure := script.Requalified(p.definition, db.Name, "", script.SQLMode(*p.settings.SQLMode), of); {
			case !found && foreign && script.MayName(p.definition, db.Name):
				own.Unsure = append(own.Unsure, p.what())
			case !found:
				own.Nowhere = own.Nowhere || foreign
			case sure:
				own.Sure = append(own.Sure, p.what())
			default:
				own.Unsure = append(own.Unsure, p.what())
			}
		}
	}
	own.Nowhere = own.Nowhere && len(own.Sure)+len(own.Unsure) == 0
	return own
}

// ofDatabase tells of names, in lower case, whether things of the database have them, and whether
// no column has.
func (db *Database) ofDatabase() func(name string) (ours, sure bool) {
	objects, columns := make(map[string]bool), make(map[string]bool)
	add := func(to map[string]bool, name string) { to[strings.ToLower(name)] = true }
	for _, t := range db.Tables {
		add(objects, quote.Unquoted(t.Name))
		for _, e := range t.Definition.Elements {
			if name, _, ok := quote.CutName(e); ok {
				add(columns, quote.Unquoted(name))
			}
		}
	}
	for _, v := range db.Views {
		add(objects, v.Name)
	}
	for _, s := range db.Sequences {
		add(objects, s.Name)
	}
	for _, programs := range [][]Program{db.Routines, db.triggers, db.events} {
		for _, p := range programs {
			add(objects, p.Name)
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
	if own.Nowhere {
		p.Comment(note.NamesItselfNowhere)
	}
	if names := slices.Concat(own.Sure, own.Unsure); len(names) > 0 {
		p.Warn(fmt.Sprintf("these name their own database, %s, and restored into another by a client go on with that one; a restore by this program puts the other's name there, or refuses: %s", own.Database, dump.Listed(names)))
	}
}
