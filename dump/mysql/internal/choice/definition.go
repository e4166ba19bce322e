package choice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// definition hands on what makes or alters a chosen table: first the sequences that it takes values
// of, and without foreign keys to tables that are not there.
func (f *Filter) definition(item dump.Item, o script.Object) error {
	if o.Verb == "create" {
		d, err := ddl.ParseTable(item.Text)
		if err != nil { // not as the server shows it
			d = ddl.Table{}
		}
		f.remember(d)
		if err := f.sequencesFor(item, o, d); err != nil || f.DataOnly {
			return err
		}
		return f.create(item, quote.Name(o.Name), d)
	}
	if !f.DataOnly {
		return f.alter(item)
	}
	if begin := "ALTER TABLE " + quote.Name(o.Name); strings.HasPrefix(item.Text, begin) && strings.HasSuffix(item.Text, recomputes) {
		item.Text = begin + recomputes
		f.emit(item)
	}
	return nil
}

// recomputes ends a statement that has a table's values computed anew, in another time zone.
const recomputes = " FORCE, ALGORITHM=COPY"

// remember keeps the names of a table's columns, which a program may mean where it says no more.
func (f *Filter) remember(d ddl.Table) {
	if !f.moves() {
		return
	}
	for _, e := range d.Elements {
		if name, _, ok := quote.CutName(e); ok {
			f.columns[strings.ToLower(quote.Unquoted(name))] = true
		}
	}
}

func (f *Filter) create(item dump.Item, table string, d ddl.Table) error {
	kept, err := f.keptKeys(item, table, d.Elements)
	if err != nil {
		return err
	}
	if len(kept) < len(d.Elements) {
		d.Elements = kept
		item.Text = d.String()
	}
	if f.From != "" && strings.Contains(item.Text, "("+quote.Name(f.From)+".`") {
		item.Text = d.Within(f.From).String()
	}
	f.emit(item)
	return nil
}

func (f *Filter) alter(item dump.Item) error {
	table, elements, ok := ddl.AddedElements(item.Text)
	if !ok {
		f.emit(item)
		return nil
	}
	kept, err := f.keptKeys(item, table, elements)
	if err != nil || len(kept) == 0 {
		return err
	}
	if len(kept) < len(elements) {
		item.Text = ddl.AddElements(table, kept)
	}
	f.emit(item)
	return nil
}

// keptKeys returns a table's elements without the foreign keys to what is not there.
func (f *Filter) keptKeys(item dump.Item, table string, elements []string) (kept []string, err error) {
	if f.From == "" && !f.Narrows() {
		return elements, nil
	}
	kept = slices.DeleteFunc(slices.Clone(elements), func(e string) bool {
		k, ok := ddl.ParseForeignKey(e)
		if !ok || err != nil {
			return false
		}
		database, name := item.Database, quote.Unquoted(k.Table)
		if k.Database != "" {
			database = quote.Unquoted(k.Database)
		}
		if (item.Database != "" || database == "") && f.Takes(database, name) { // a dump of one has nothing of others
			return false
		}
		var there bool
		if there, err = f.there(database, name); there || err != nil {
			return false
		}
		f.to.Warn(fmt.Sprintf("of table %s a foreign key is left out, as %s is not there: %s", quote.Unquoted(table), labelOf(database, name, f.From), script.Head(e)))
		return true
	})
	return kept, err
}

func (f *Filter) there(database, name string) (bool, error) {
	if f.to.There == nil {
		return false, nil
	}
	return f.to.There(f.targetOf(database), name)
}

// sequencesFor hands on the sequences that were not chosen and that a chosen table needs. They have
// been held back, as the dump has them before the tables. One that is there stays as it is.
func (f *Filter) sequencesFor(item dump.Item, o script.Object, d ddl.Table) error {
	for _, names := range d.SequencesOf() {
		key := [2]string{item.Database, quote.Unquoted(names[1])}
		if names[0] != "" {
			key[0] = quote.Unquoted(names[0])
		}
		held := f.held[key]
		delete(f.held, key)
		if len(held) == 0 {
			continue
		}
		if !f.DataOnly {
			there, err := f.there(key[0], key[1])
			if err != nil {
				return err
			}
			if there {
				f.to.Warn(fmt.Sprintf("sequence %s, of which table %s takes values, is there and stays as it is", labelOf(key[0], key[1], f.From), o.Name))
				continue
			}
		}
		for _, s := range held {
			if !f.DataOnly || !strings.HasPrefix(s.Text, "CREATE ") {
				f.emit(s)
			}
		}
	}
	return nil
}
