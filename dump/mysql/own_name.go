package mysql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/script"
)

// A dump of one database goes into one of any name. What names the database itself would go on with the old one there,
// which may be the original, on the same server. Views are the server's text: the name is left out in the dump. Programs
// are their authors': they are in the dump as they are, and those that name their database are noted at its beginning. A
// restore into another database leaves the name out where it can tell it from other names, and else is refused.

// A selfNaming is a program or a view whose text names its own database.
type selfNaming struct {
	what string // procedure p
	sure bool   // every such name is the database's
}

// How the notes of those begin.
const (
	namesItself    = "names its database "
	mayNamesItself = "may name its database "
)

// ownNames takes the database's name out of what a dump of it alone holds, as far as that is the server's text, and
// returns what still names it.
func (db *database) ownNames() []selfNaming {
	var list []selfNaming
	for i := range db.views {
		v := &db.views[i]
		if v.invalid != "" || v.duality {
			continue
		}
		if text := withoutDatabase(v.definition, db.name); text != v.definition && isAlias(v.definition, db.name) {
			list = append(list, selfNaming{what: "view " + v.name})
		} else {
			v.definition = text
		}
	}
	for _, programs := range [][]program{db.routines, db.triggers, db.events} {
		for i := range programs {
			p := &programs[i]
			switch {
			case p.lost != "":
				continue
			case p.kind == "TRIGGER":
				p.definition = unqualified(p.definition, db.name)
			case p.kind == "FUNCTION", p.kind == "PROCEDURE":
				p.definition = withinUsing(p.definition, db.name)
			}
			if _, found, sure := script.Unqualified(p.definition, db.name, script.SQLMode(*p.settings.sqlMode)); found {
				list = append(list, selfNaming{p.what(), sure})
			}
		}
	}
	return list
}

// isAlias tells whether a view's text, as the server shows it, has the name for something that is read: a table, one of
// WITH, an alias.
func isAlias(text, name string) bool {
	quoted := ident(name)
	for at := 0; ; at += len(quoted) {
		i := strings.Index(text[at:], quoted)
		if i < 0 {
			return false
		}
		at += i
		before, behind := text[:at], text[at+len(quoted):]
		switch {
		case strings.HasSuffix(before, "."), strings.HasSuffix(before, " AS "): // a column
		case strings.HasSuffix(before, " VIEW "): // the view itself
		case strings.HasPrefix(behind, ".`"), strings.HasPrefix(behind, "@"): // the database, or the definer
		default:
			return true
		}
	}
}

// noteOwnNames writes which they are, and warns of them: the clients leave no name out.
func (p *printer) noteOwnNames(db *database, list []selfNaming) {
	var names []string
	for _, n := range list {
		begin := mayNamesItself
		if n.sure {
			begin = namesItself
		}
		p.comment("%s%+q: %+q", begin, db.name, n.what)
		names = append(names, n.what)
	}
	if len(names) > 0 {
		p.warn(fmt.Sprintf("these name their own database, %s, and restored into another by a client go on with that one; a restore by this program leaves the name out, or refuses: %s", db.name, dump.Listed(names)))
	}
}

// ownName is what a dump of one database says of its name.
type ownName struct {
	database string
	sure     []string // what names it, and nothing else by that name
	unsure   []string
}

// note takes note of a comment, if it is one of those.
func (o *ownName) note(comment string) error {
	rest, sure := strings.CutPrefix(comment, namesItself)
	if !sure {
		var ok bool
		if rest, ok = strings.CutPrefix(comment, mayNamesItself); !ok {
			return nil
		}
	}
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return err
	}
	if o.database, err = strconv.Unquote(quoted); err != nil {
		return err
	}
	what, err := strconv.Unquote(strings.TrimPrefix(rest[len(quoted):], ": "))
	if sure {
		o.sure = append(o.sure, what)
	} else {
		o.unsure = append(o.unsure, what)
	}
	return err
}

// elsewhere tells whether a dump goes into a database of another name, or why it may not.
func (d *ownDump) elsewhere() (bool, error) {
	o := d.ownName
	if o.database == "" || d.cfg.Database == "" || d.srv.fold(d.cfg.Database) == d.srv.fold(o.database) {
		return false, nil
	}
	if len(o.unsure) > 0 {
		return false, fmt.Errorf("into %s: these name %s, the database that they were made in, beside an alias or a variable of that name, and would go on with that one: %s; restore into a database of that name, or change them in the original",
			d.cfg.Database, o.database, dump.Listed(o.unsure))
	}
	d.cfg.Warn(fmt.Sprintf("these named %s, the database that they were made in, and name none now: %s", o.database, dump.Listed(o.sure)))
	return true, nil
}

// programKinds are those of what is its author's text.
var programKinds = []string{"FUNCTION", "PROCEDURE", "TRIGGER", "EVENT", "PACKAGE", "PACKAGE BODY"}

// renamed returns a statement for a database of another name.
func (d *ownDump) renamed(sql []byte) []byte {
	if !d.renames || !slices.ContainsFunc(programKinds, func(kind string) bool { return creates(string(sql), kind) }) {
		return sql
	}
	text, _, _ := script.Unqualified(string(sql), d.ownName.database, d.mode)
	return []byte(text)
}
