package part

import (
	"errors"
	"iter"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Wants tells whether a load of the part may need a stretch of a dump, going by the stretch's name
// alone. It says no where no definition could make it yes: rows where none are wanted, another
// database, what a pattern keeps out. Which tables are partitions of one that is chosen only the
// definitions say: see WantsBy.
func (c *Config) Wants(of dump.Part) bool {
	database, table := splitName(of)
	switch {
	case of.Kind == dump.Objects && (c.Rules.Including() || c.Rules.SchemaOnly):
		return false
	case database != "" && c.From != "" && database != c.From:
		return false
	case table == (name{}) || of.Kind != dump.Rows:
		return true
	}
	return !c.Rules.SchemaOnly && !New(c).excludes(&object{name: table})
}

// splitName reads a stretch's name: that of a table, behind that of its database in a dump of
// several, or the database's alone.
func splitName(of dump.Part) (database string, table name) {
	var names []string
	for _, t := range tokenize(of.Name) {
		if t.names() {
			names = append(names, t.text)
		}
	}
	switch len(names) {
	case 1:
		return names[0], name{}
	case 2:
		return "", name{names[0], names[1]}
	case 3:
		return names[0], name{names[1], names[2]}
	}
	return "", name{}
}

// WantsBy does what Wants does, and knows what is chosen by the definitions, which are a dump's
// items up to its first rows, or as many as there are: it wants the rows of the tables that are
// chosen, and what is made for these behind them.
func (c *Config) WantsBy(definitions iter.Seq2[dump.Item, error]) (func(dump.Part) bool, error) {
	quiet := *c
	quiet.Warn = func(string) {}
	p := New(&quiet)
	for item, err := range definitions {
		if err == nil && item.Head != nil {
			_, err = p.begin(*item.Head)
		}
		switch {
		case errors.Is(err, dump.ErrTruncated):
			err = nil
		case err != nil:
			return nil, err
		case item.Kind == dump.Definitions && (p.From == "" || item.Database == p.From):
			err = p.keep(item)
		}
		if err != nil {
			return nil, err
		}
		if item.Kind != dump.Definitions && item.Head == nil {
			break
		}
	}
	if !c.Picks() || p.alone {
		return c.Wants, nil
	}
	if err := p.plan(); err != nil {
		return nil, err
	}
	p.close()
	return func(of dump.Part) bool {
		_, table := splitName(of)
		if !c.Wants(of) || table == (name{}) {
			return c.Wants(of)
		}
		o := p.objects.byKey[key{relation, table}]
		return o == nil && !c.Rules.Including() || o != nil && (o.chosen || o.wanted && of.Kind != dump.Rows)
	}, nil
}
