package choice

import (
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// making is what makes a database, held back until something in it is chosen. A database that is
// there stays what it is.
type making struct {
	create  string
	altered bool // its defaults have come
}

// opens tells whether the filter itself says in which database a statement is: where few of a dump
// of several may come.
func (f *Filter) opens() bool { return f.From == "" && (f.Including() || f.DataOnly) }

// enter makes the database that an item is for, where it is not there, and uses it.
func (f *Filter) enter(item dump.Item) {
	say := func(text string) {
		f.yield(dump.Item{Kind: dump.Definitions, Database: item.Database, Line: item.Line, Text: text}, nil)
	}
	if m := f.making[item.Database]; m != nil && m.create != "" && !f.DataOnly {
		say(m.create)
		m.create = ""
	}
	say("USE " + quote.Name(item.Database))
	f.home = item.Database
}

// use takes note of a database that is used from here on.
func (f *Filter) use(item dump.Item, name string) {
	if f.making[name] == nil {
		f.making[name] = &making{}
	}
	if f.From == "" && !f.opens() {
		f.yield(item, nil)
	}
}

// database hands on what makes or alters a whole database, and what drops one where all of the dump
// comes. Nobody has looked at what else such a database holds.
func (f *Filter) database(item dump.Item, o script.Object) error {
	stays, err := f.stays(item, o)
	switch {
	case stays || err != nil:
	case o.Verb == "drop" && (f.Narrows() || f.DataOnly):
	case f.From == "" && !f.opens():
		f.yield(item, nil)
	case o.Verb == "create":
		f.making[o.Name] = &making{create: item.Text}
	case o.Verb != "alter":
	case f.opens():
		if m := f.making[o.Name]; m != nil && !m.altered {
			m.altered = true
			if begin := "CREATE DATABASE IF NOT EXISTS " + quote.Name(o.Name); m.create == begin {
				m.create = begin + item.Text[o.Behind:]
			}
		}
	case o.Name == f.From && !f.Including() && !f.DataOnly:
		item.Text = "ALTER DATABASE" + item.Text[o.Behind:]
		f.emit(item)
	}
	return err
}

// stays tells whether a statement would alter a database of the target that is to stay what it is.
func (f *Filter) stays(item dump.Item, o script.Object) (bool, error) {
	if o.Verb != "alter" || !f.Narrows() || f.opens() || f.to.Alters == nil || f.From != "" && o.Name != f.From {
		return false, nil
	}
	database := o.Name
	switch {
	case f.to.Database != "":
		database = f.to.Database
	case database == "":
		database = item.Database
	}
	may, err := f.to.Alters(database, item.Text)
	return !may, err
}

// targetOf is the database of the target that one of the dump's goes into.
func (f *Filter) targetOf(database string) string {
	if f.to.Database != "" && database == f.From { // of a dump of one, both are empty
		return f.to.Database
	}
	return database
}

// moves tells whether the one of several databases goes into one of another name.
func (f *Filter) moves() bool { return f.From != "" && f.to.Database != f.From }

// quotedDot is what stands before a table's name in a dump of several databases.
func quotedDot(database string) string {
	if database == "" {
		return ""
	}
	return quote.Name(database) + "."
}

// program hands on a stored program. In a database of another name it names that one.
func (f *Filter) program(item dump.Item, o script.Object) {
	if !f.moves() || o.Verb != "create" {
		f.emit(item)
		return
	}
	text := item.Text
	switch o.Kind {
	case "trigger":
		text = script.UnqualifiedTrigger(text, f.From)
	case "function", "procedure":
		text = script.UnqualifiedUsing(text, f.From)
	}
	instead := quote.Name(f.to.Database) + "."
	if !quote.IsASCII(instead) { // and the program's text may be in another character set
		instead = ""
	}
	text, found, sure := script.Requalified(text, f.From, instead, f.reads|f.session.Mode(), func(name string) (bool, bool) {
		name = strings.ToLower(name)
		return f.objects[name], !f.columns[name]
	})
	switch what := o.Kind + " " + o.Name; {
	case !found && script.MayName(item.Text, f.From):
		f.to.Warn(fmt.Sprintf("%s is left out: its text is in a character set of its own, and may name %s, the database that it was made in", what, f.From))
		return
	case found && !sure:
		f.leaveOut(what, f.From+", the database that it was made in")
		return
	case found:
		f.renamed = append(f.renamed, what)
	}
	item.Text = text
	f.emit(item)
}
