package choice

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

var (
	// ErrNothingFits is returned where what was asked for is not in the dump.
	ErrNothingFits = errors.New("the dump has no such thing")
	// ErrOfOne is returned where a database of the dump is named, and the dump is of one, which it
	// does not name.
	ErrOfOne = errors.New("the dump is of one database and does not name it")
)

// A Target is what the load knows of where the dump goes.
type Target struct {
	Database string // that all goes into; "": each database goes into the one of its name
	// There tells whether the target has a table, view or sequence. nil: nobody knows.
	There func(database, name string) (bool, error)
	// Alters tells whether a statement may alter one of its databases. nil: nobody knows.
	Alters func(database, sql string) (bool, error)
	Warn   func(string)
}

// A Filter is the choice from one dump.
type Filter struct {
	*Rules
	to     Target
	used   map[*pattern]bool
	chosen []Object
	names  map[[2]string]bool // tables, views and sequences so far, by database and name: whether they are chosen
	seen   []string           // the same for people, in their order

	head     dump.Head
	making   map[string]*making        // the databases that have come
	home     string                    // the database that what was handed out is in
	table    bool                      // the table made last is chosen
	held     map[[2]string][]dump.Item // sequences that a table may need
	objects  map[string]bool           // names of tables, views and sequences, in lower case
	columns  map[string]bool           // of tables, in lower case
	renamed  []string                  // programs that name another database now
	mentions mentions
	unsure   map[string]bool // triggers that may name their database
	reads    script.Mode     // how the dump's server reads text, but for the session's sql_mode
	session  script.SessionMode
	yield    func(dump.Item, error) bool // returns false when nobody wants more
}

// An Object is something that is chosen.
type Object struct {
	Database   string // that it is in in the dump; "": a dump of one
	Kind, Name string
}

// Filter begins the choice from a dump that goes there.
func (r *Rules) Filter(to Target) *Filter {
	return &Filter{
		Rules: r, to: to, used: make(map[*pattern]bool), names: make(map[[2]string]bool), making: make(map[string]*making),
		held: make(map[[2]string][]dump.Item), objects: make(map[string]bool), columns: make(map[string]bool), unsure: make(map[string]bool), chosen: []Object{},
		mentions: mentions{programs: make(map[string]string)},
	}
}

// Chosen are the tables, views, sequences and triggers that were handed out.
func (f *Filter) Chosen() []Object { return f.chosen }

// Items hands on what is chosen of a dump's items. A pattern of tables that fits nothing is an
// error in place of the manifest.
func (f *Filter) Items(items iter.Seq2[dump.Item, error]) iter.Seq2[dump.Item, error] {
	return func(yield func(dump.Item, error) bool) {
		wanted := true
		f.yield = func(item dump.Item, err error) bool {
			wanted = wanted && yield(item, err)
			return wanted
		}
		for item, err := range items {
			if err == nil {
				err = f.take(item)
			}
			if err != nil {
				f.yield(dump.Item{}, err)
				return
			}
			if !wanted {
				return
			}
		}
	}
}

func (f *Filter) take(item dump.Item) error {
	switch {
	case item.Head != nil:
		return f.begin(*item.Head)
	case item.Contents != nil:
		return f.end(item.Contents)
	case item.Kind == dump.Rows:
		return f.rows(item)
	}
	return f.statement(item)
}

// rows hands on those of chosen tables.
func (f *Filter) rows(item dump.Item) error {
	name := strings.TrimPrefix(item.Table, quotedDot(item.Database))
	if strings.HasPrefix(name, "`") {
		_, name, _ = tableOf(name)
	}
	took, err := f.takesObject(item.Database, name)
	if err != nil || !took || f.SchemaOnly {
		return err
	}
	if f.From != "" {
		item.Table = strings.TrimPrefix(item.Table, quotedDot(item.Database))
	}
	f.emit(item)
	return nil
}

// emit hands an item on, in the database that it is for.
func (f *Filter) emit(item dump.Item) {
	switch {
	case f.From != "":
		item.Database = ""
	case item.Database != f.home && f.opens():
		f.enter(item)
	}
	f.yield(item, nil)
}

// takesObject tells whether a table, view or sequence is chosen, and takes note of it. Those of the
// server itself, which mysqldump dumps too, come with all of a dump and with no part of it: they
// are accounts and grants.
func (f *Filter) takesObject(database, name string) (bool, error) {
	key := [2]string{database, name}
	if took, known := f.names[key]; known {
		return took, nil
	}
	if text, ok := f.namesDatabases(); ok && database == "" {
		return false, fmt.Errorf("%s: %w: name the table alone", text, ErrOfOne)
	}
	if !f.inScope(database) || database != "" && f.From == "" && (server.Info{}).IsSystemSchema(database) {
		return false, nil
	}
	took := f.takes(f.used, database, name)
	f.names[key], f.objects[strings.ToLower(name)] = took, true
	f.seen = append(f.seen, labelOf(database, name, f.From))
	return took, nil
}

// end holds the patterns against what there was, and hands on the manifest of what is chosen.
func (f *Filter) end(contents *dump.Contents) error {
	if f.From != "" && f.head.Form == "" && f.making[f.From] == nil { // which others say at their beginning
		return noDatabase(f.From, slices.Sorted(maps.Keys(f.making)))
	}
	if lost := f.tables.unused(f.used); len(lost) > 0 {
		return fmt.Errorf("no table, view or sequence fits %s: %w; %s", strings.Join(lost, ", "), ErrNothingFits, f.instead(lost))
	}
	if lost := f.notTables.unused(f.used); len(lost) > 0 {
		f.to.Warn("no table, view or sequence fits these, which were not to be loaded: " + strings.Join(lost, ", "))
	}
	if len(f.renamed) > 0 {
		f.to.Warn(fmt.Sprintf("these named %s, the database that they were made in, and name %s now: %s", f.From, f.to.Database, dump.Listed(f.renamed)))
	}
	f.warnOfMentions()
	part := &dump.Contents{}
	for _, t := range contents.Tables {
		if name, ok := f.listed(t.Name); ok {
			t.Name = name
			part.Tables = append(part.Tables, t)
		}
	}
	for _, p := range contents.Parts { // which are where they were
		if name, ok := f.listed(p.Name); ok && p.Kind == dump.Rows {
			p.Name = name
			part.Parts = append(part.Parts, p)
		}
	}
	f.yield(dump.Item{Contents: part}, nil)
	return nil
}

// listed tells by a table's name in a manifest whether its rows are chosen, and what that name is
// in the smaller dump.
func (f *Filter) listed(qualified string) (name string, ok bool) {
	database, name, ok := tableOf(qualified)
	if !ok || f.SchemaOnly || !f.Takes(database, name) {
		return "", false
	}
	if f.From != "" {
		return strings.TrimPrefix(qualified, quotedDot(database)), true
	}
	return qualified, true
}

func noDatabase(name string, there []string) error {
	if len(there) == 0 {
		return fmt.Errorf("database %s: %w", name, ErrOfOne)
	}
	return fmt.Errorf("database %s: %w; its databases are %s", name, ErrNothingFits, dump.Listed(there))
}

// instead says what the dump has: names that differ in case alone, or else some of all.
func (f *Filter) instead(lost []string) string {
	alike := slices.DeleteFunc(slices.Clone(f.seen), func(name string) bool {
		return !slices.ContainsFunc(lost, func(l string) bool {
			return strings.EqualFold(name, l) || strings.HasSuffix(strings.ToLower(name), "."+strings.ToLower(l))
		})
	})
	switch {
	case len(alike) > 0:
		return "letters have to be in their case, and there is " + dump.Listed(alike)
	case len(f.seen) == 0:
		return "it has none"
	}
	return "it has " + dump.Listed(f.seen)
}
