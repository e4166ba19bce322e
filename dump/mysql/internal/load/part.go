package load

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// part leaves of a dump's items those that are loaded.
func (s *loading) part(ctx context.Context, items iter.Seq2[dump.Item, error]) iter.Seq2[dump.Item, error] {
	if s.cfg.Part == nil {
		return items
	}
	return s.cfg.Part.Filter(choice.Target{
		Database: s.cfg.Database, Warn: s.cfg.Warn,
		Alters: func(database, sql string) (bool, error) { return s.alters(ctx, database, sql) },
		There: func(database, name string) (bool, error) {
			rows, err := s.conn.List(ctx, "SELECT table_name AS name FROM information_schema.tables WHERE table_type <> 'TEMPORARY' AND "+
				s.srv.DatabaseIs("table_schema", database)+" AND "+s.srv.DatabaseIs("table_name", name))
			return len(rows) > 0, err
		},
	}).Items(items)
}

// placePart is place where some of a dump's tables come, or rows alone. What is chosen is in the
// way if it is there, or is dropped; all else that is there stays.
func (s *loading) placePart(ctx context.Context, p placement, exists func(db string) bool) (placement, error) {
	if s.cfg.Clean && s.cfg.Part.Including() && s.cfg.Found.Chosen == nil {
		return p, errors.New("what a part of a dump drops is known only when the dump has been read to its end: nothing can be dropped for it before")
	}
	if s.cfg.Database == "" {
		p.target.Databases = slices.DeleteFunc(slices.Clone(p.target.Databases), func(db string) bool { return !s.mayHold(db) })
	}
	for _, db := range p.target.Databases {
		if s.srv.IsSystemSchema(db) {
			return p, fmt.Errorf("database %s is the server's own here", db)
		}
		if !exists(db) && s.cfg.Database == "" && !s.cfg.Part.DataOnly {
			continue
		}
		if s.cfg.Part.DataOnly {
			if err := s.ready(ctx, db); err != nil {
				return p, err
			}
			continue
		}
		found, err := s.inTheWay(ctx, db)
		if err != nil {
			return p, err
		}
		var names []string
		for _, o := range found {
			names = append(names, strings.ToLower(o.kind)+" "+db+"."+o.name)
		}
		if len(found) > 0 && !s.cfg.Clean {
			return p, fmt.Errorf("database %s: %w of what is to be loaded: it has %s", db, dump.ErrNotEmpty, dump.Listed(names))
		}
		p.objects, p.target.Drops = append(p.objects, found...), append(p.target.Drops, names...)
		if err := s.triggersInTheWay(ctx, db, found); err != nil {
			return p, err
		}
	}
	if err := s.dependents(ctx, p.objects); err != nil {
		return p, err
	}
	return p, s.undroppable(ctx, p)
}

// mayHold tells whether what is chosen may be in a database of a dump of several.
func (s *loading) mayHold(db string) bool {
	if s.cfg.Found.Chosen == nil {
		return s.cfg.Part.MayHold(db)
	}
	return slices.ContainsFunc(s.cfg.Found.Chosen, func(o choice.Object) bool { return o.Database == db })
}

// dumped is the name that a database of the target has in the dump.
func (s *loading) dumped(db string) string {
	if s.cfg.Database == "" {
		return db
	}
	return s.cfg.Part.From // empty of a dump of one, which names none
}

// inTheWay returns what of a database is in the way of what is chosen, in the order in which it can
// be dropped. Where the dump has not been read before, that is what has a name that was asked for.
func (s *loading) inTheWay(ctx context.Context, db string) ([]object, error) {
	takes, including := s.takes(s.dumped(db)), s.cfg.Part.Including()
	var found []object
	for _, kind := range s.srv.ObjectKinds() {
		isTable := slices.Contains([]string{"TABLE", "VIEW", "SEQUENCE"}, kind)
		if !isTable && including {
			continue
		}
		names, err := s.conn.ObjectsOf(ctx, db, kind)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if !isTable || takes(name) {
				found = append(found, object{kind, db, name})
			}
		}
	}
	return found, nil
}

// takes returns what tells of a table of the target whether it is what is chosen of a database of
// the dump. A server that takes names in any letters for one may show it in others than the dump:
// what was not to be touched is so in any of them.
func (s *loading) takes(from string) func(name string) bool {
	named := make(map[string]bool)
	for _, o := range s.cfg.Found.Chosen {
		if o.Database == from && o.Kind != "trigger" {
			named[s.srv.Fold(o.Name)] = true
		}
	}
	rules := s.cfg.Part
	if s.srv.Folds() {
		rules = rules.InAnyCase()
	}
	known := rules.Including() && s.cfg.Found.Chosen != nil
	return func(name string) bool {
		return named[s.srv.Fold(name)] || !known && rules.Takes(from, name)
	}
}

// triggers are those of a database's tables, by their names.
func (s *loading) triggers(ctx context.Context, db string) ([]server.Record, error) {
	return s.conn.List(ctx, "SELECT trigger_name AS name, event_object_table AS of_table FROM information_schema.triggers WHERE "+s.srv.DatabaseIs("trigger_schema", db)+" ORDER BY 1")
}

// triggersInTheWay looks for triggers of tables that stay, with the names of those that come.
func (s *loading) triggersInTheWay(ctx context.Context, db string, dropped []object) error {
	from := s.dumped(db)
	var names []string
	for _, o := range s.cfg.Found.Chosen {
		if o.Database == from && o.Kind == "trigger" {
			names = append(names, o.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	rows, err := s.triggers(ctx, db)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if slices.Contains(names, r["name"]) && !slices.Contains(dropped, object{"TABLE", db, r["of_table"]}) {
			return fmt.Errorf("database %s: %w of what is to be loaded: its table %s has trigger %s", db, dump.ErrNotEmpty, r["of_table"], r["name"])
		}
	}
	return nil
}

// ready looks whether a database has the tables that rows are to be loaded into, as far as these
// are known, and tells of triggers that will run.
func (s *loading) ready(ctx context.Context, db string) error {
	from := s.dumped(db)
	var missing, run []string
	tables, err := s.conn.ObjectsOf(ctx, db, "TABLE")
	if err != nil {
		return err
	}
	for _, o := range s.cfg.Found.Chosen {
		if o.Database == from && o.Kind == "table" && !slices.ContainsFunc(tables, func(t string) bool { return s.srv.Fold(t) == s.srv.Fold(o.Name) }) {
			missing = append(missing, o.Name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("database %s has no such tables, and rows alone are loaded: %s", db, dump.Listed(missing))
	}
	rows, err := s.triggers(ctx, db)
	if err != nil {
		return err
	}
	takes := s.takes(from)
	for _, r := range rows {
		if takes(r["of_table"]) {
			run = append(run, r["name"])
		}
	}
	if len(run) > 0 {
		s.cfg.Warn(fmt.Sprintf("database %s has triggers that run for the rows that are loaded: %s", db, dump.Listed(run)))
	}
	return nil
}

// notThere are errors of a view that reads what is not there.
var notThere = []uint16{server.CodeNoSuchTable, server.CodeBadField, server.CodeViewInvalid, server.CodeNoSuchRoutine, server.CodeNoSuchDatabase}

// withoutView leaves a view out of a part of a dump that reads what is not in it, and not in the
// target. Its stand-in, which reads nothing, goes too.
func (s *loading) withoutView(ctx context.Context, st statement, err error) error {
	if s.cfg.Part == nil || !server.IsError(err, notThere...) {
		return err
	}
	o := script.ObjectOf(st.sql)
	if o.Kind != "view" || o.Verb != "create" {
		return err
	}
	s.cfg.Warn(fmt.Sprintf("view %s is left out, as what it reads is not there: %v", o.Name, err))
	return s.conn.Exec(ctx, "DROP VIEW IF EXISTS "+quote.Name(o.Name))
}
