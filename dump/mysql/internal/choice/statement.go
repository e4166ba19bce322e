package choice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// statement hands a statement on if what it is for is chosen.
func (f *Filter) statement(item dump.Item) error {
	sql := []byte(item.Text)
	if name, ok := script.Used(sql); ok {
		f.use(item, name)
		return nil
	}
	if script.IsSetting(sql) {
		f.setting(item)
		return nil
	}
	o := script.ObjectOf(sql)
	switch o.Kind {
	case "database":
		return f.database(item, o)
	case "table", "view", "sequence":
		return f.object(item, o)
	case "trigger":
		return f.trigger(item, o)
	case "procedure", "function", "event", "package", "library":
		if !f.Including() && !f.DataOnly && f.inScope(item.Database) {
			f.program(item, o)
		} else if !f.DataOnly && f.inScope(item.Database) {
			f.mentions.leaves(o)
		}
	default:
		f.other(item)
	}
	return nil
}

// setting hands on what sets the session up: the statements behind it rest on all that came before.
// What is the server's is for a whole dump.
func (f *Filter) setting(item dump.Item) {
	sql := []byte(item.Text)
	if strings.HasPrefix(item.Text, "SET ROLE ") || strings.HasPrefix(item.Text, "SET DEFAULT ROLE ") || script.IsGlobal(sql) {
		f.whole(item)
		return
	}
	if script.SetsMode(sql) {
		f.session.Set(item.Text)
	}
	if f.From != "" {
		item.Database = ""
	}
	f.yield(item, nil)
}

// whole hands on what belongs to the server, and so comes only with all of its databases.
func (f *Filter) whole(item dump.Item) {
	if f.From == "" && !f.Including() && !f.DataOnly {
		f.yield(item, nil)
	}
}

// other hands on what frames rows, and of the rest what comes with a whole dump.
func (f *Filter) other(item dump.Item) {
	word, _, _ := strings.Cut(item.Text, " ")
	switch {
	case item.Text == "START TRANSACTION", item.Text == "COMMIT":
		if f.table && !f.SchemaOnly && f.inScope(item.Database) {
			f.emit(item)
		}
	case strings.EqualFold(word, "unlock"), strings.EqualFold(word, "commit"):
		if f.home != "" || !f.opens() { // behind rows of the first that is chosen, whose database is known
			f.yield(item, nil)
		}
	default:
		f.whole(item)
	}
}

// object hands on a statement about a table, a view or a sequence.
func (f *Filter) object(item dump.Item, o script.Object) error {
	if o.Database != "" && o.Database != item.Database && f.opens() { // where nobody may have chosen the name
		return fmt.Errorf("line %d: %s: %w", item.Line, script.Head(item.Text), dump.ErrElsewhere)
	}
	name := o.Name
	if o.Kind == "view" {
		name = f.resolved(item.Database, name)
	}
	took, err := f.takesObject(item.Database, name)
	if err != nil {
		return err
	}
	if o.Kind == "table" && o.Verb == "create" {
		f.table = took
	}
	switch {
	case !took && o.Kind == "sequence" && f.Narrows() && f.inScope(item.Database):
		key := [2]string{item.Database, name}
		f.held[key] = append(f.held[key], item)
		return nil
	case !took, o.Verb == "lock": // which keeps a session from the sequences that a table takes values of
		return nil
	case o.Verb == "drop" && f.Narrows() && !f.made(item.Database, name):
		return nil // what is in the way has been dropped or refused, by rules that the dump does not know
	case o.Verb == "create":
		f.note(Object{item.Database, o.Kind, name})
	}
	if o.Kind == "table" {
		return f.definition(item, o)
	}
	if f.DataOnly && (o.Kind == "view" || o.Verb == "create" || o.Verb == "drop") {
		return nil
	}
	if o.Kind == "view" && f.moves() {
		item.Text = script.UnqualifiedView(item.Text, f.From)
	}
	f.emit(item)
	return nil
}

// note takes note of what is chosen, for once: a view comes twice, as a stand-in first.
func (f *Filter) note(o Object) {
	if !slices.Contains(f.chosen[max(0, len(f.chosen)-1):], o) {
		f.chosen = append(f.chosen, o)
	}
}

// made tells whether what was handed out has made something of that name: a view's stand-in.
func (f *Filter) made(database, name string) bool {
	return slices.ContainsFunc(f.chosen, func(o Object) bool { return o.Database == database && o.Name == name && o.Kind != "trigger" })
}

// trigger hands a trigger on with its table. What drops one does not say of which table it is.
func (f *Filter) trigger(item dump.Item, o script.Object) error {
	if f.DataOnly || o.Verb != "create" && f.Narrows() || !f.inScope(item.Database) {
		return nil
	}
	if o.Verb == "create" && f.Narrows() {
		took, err := f.takesObject(item.Database, f.resolved(item.Database, o.Table))
		if err != nil || !took {
			return err
		}
	}
	if f.unsure["trigger "+o.Name] {
		f.leaveOut("trigger "+o.Name, "the database that it was made in")
		return nil
	}
	if o.Verb == "create" {
		f.note(Object{item.Database, o.Kind, o.Name})
		f.mentions.comes(o.Name, item.Text)
	}
	f.program(item, o)
	return nil
}

func (f *Filter) leaveOut(what, names string) {
	f.to.Warn(fmt.Sprintf("%s is left out: it names %s, beside an alias or a variable of that name, and would go on with that one", what, names))
}

// resolved is the name of a table or view as its definition has it. Views and programs are in the
// character set of whoever made them, in which letters beyond ASCII are other bytes: of the names
// that have come it is the one that is the same but for these.
func (f *Filter) resolved(database, name string) string {
	if quote.IsASCII(name) {
		return name
	}
	if _, known := f.names[[2]string{database, name}]; known {
		return name
	}
	shape := shapeOf(name)
	var alike []string
	for key := range f.names {
		if key[0] == database && shapeOf(key[1]) == shape {
			alike = append(alike, key[1])
		}
	}
	if len(alike) != 1 {
		return name
	}
	return alike[0]
}

// shapeOf is a name with one sign for each run of letters that are not ASCII.
func shapeOf(name string) string {
	var b strings.Builder
	foreign := false
	for _, c := range []byte(name) {
		if c >= 0x80 && !foreign {
			b.WriteByte(0)
		} else if c < 0x80 {
			b.WriteByte(c)
		}
		foreign = c >= 0x80
	}
	return b.String()
}
