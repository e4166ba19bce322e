package choice

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// begin hands on what the dump says of itself, as the smaller dump would: of one of several
// databases that is a dump of one, which names none.
func (f *Filter) begin(head dump.Head) error {
	f.head = head
	if of, err := server.ParseNamed(head.Server); err == nil {
		f.reads = script.ServerMode(of.IsMariaDB(), of.Version[0])
	}
	text, named := f.namesDatabases()
	switch {
	case head.Form == note.One && f.From != "":
		return fmt.Errorf("database %s: %w: there is no other in it to choose", f.From, ErrOfOne)
	case head.Form == note.One && named:
		return fmt.Errorf("%s: %w: name the table alone", text, ErrOfOne)
	case head.Form == note.Several && f.From != "" && !slices.Contains(head.Databases, f.From):
		return noDatabase(f.From, head.Databases)
	case head.Form == note.Several && f.From != "":
		head.Form, head.Databases = note.One, nil
		head.Notes = append(slices.Clone(head.Notes), note.NamesItselfNowhere) // any more: see program
	case head.Form == note.One && f.Including():
		head.Notes = f.ownNames(head.Notes)
	}
	f.yield(dump.Item{Head: &head}, nil)
	return nil
}

// ownNames takes from the notes of a dump of one database those that are of no matter where only
// tables come: of programs that name the database. Of triggers it is settled when they come.
func (f *Filter) ownNames(notes []string) []string {
	return slices.DeleteFunc(slices.Clone(notes), func(text string) bool {
		var own note.OwnName
		if err := own.Read(text); err != nil {
			return false // which the load says
		}
		for _, what := range own.Unsure {
			f.unsure[what] = own.Database != f.to.Database
		}
		return len(own.Unsure) > 0 || len(own.Sure) > 0 && !strings.HasPrefix(own.Sure[0], "trigger ")
	})
}

// labelOf names a table for people, as a pattern would.
func labelOf(database, name, from string) string {
	quoted := func(s string) string {
		if strings.ContainsAny(s, " .*?\"`[](){}+|^$\\,") {
			return strconv.Quote(s)
		}
		return s
	}
	if database == "" || database == from {
		return quoted(name)
	}
	return quoted(database) + "." + quoted(name)
}
