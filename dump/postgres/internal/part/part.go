// Package part is a part of a dump: which of its items a load gets when it is to load some tables,
// or schemas, or definitions without rows. It stands between script.Items and load and hands on
// items, so that neither knows of it.
//
// What is chosen by name brings what it needs. A dump names everything with its schema, so what a
// statement needs is what it names, and that is found by reading its tokens. The definitions of a
// database are kept until its first rows come, as what is needed may stand before who needs it, and
// what nobody has needed by then is kept to the end: a trigger's function is made when the trigger
// comes. What points at a table that is not there is left out, and told.
//
// Its own is also where such a part goes, which may hold other things: what is in its way there,
// and what is taken as it is (see Place). How a whole dump is placed is the load's.
package part

import (
	"errors"
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

var (
	// ErrNothingFits is returned for a pattern that fits nothing in the dump.
	ErrNothingFits = errors.New("nothing in the dump fits")
	// ErrNoDatabase is returned where it is not clear which database of a dump of several a part is
	// to come from.
	ErrNoDatabase = errors.New("it is not clear which of the dump's databases is meant")
	// ErrSchemas is returned where what is to go into one schema is of several.
	ErrSchemas = errors.New("what goes into another schema has to come from one")
)

// A Config is a choice that was read.
type Config struct {
	Rules    *choice.Rules
	From     string // the database of a dump of several
	ToSchema string // that the tables go into; empty: their own
	Warn     func(string)
	Behind   []name // materialized views that the dump is known to make behind its rows: see Part.MadeBehind
}

// Parse reads a choice. It is nil where all of a dump is wanted as it is.
func Parse(c dump.Choice, toSchema string, warn func(string)) (*Config, error) {
	if c.All() && toSchema == "" {
		return nil, nil
	}
	rules, err := choice.Selection{
		Schemas: c.Schemas, ExcludeSchemas: c.ExcludeSchemas, Tables: c.Tables, ExcludeTables: c.ExcludeTables,
		SchemaOnly: c.SchemaOnly, DataOnly: c.DataOnly,
	}.Parse()
	if err != nil {
		return nil, err
	}
	return &Config{Rules: rules, From: c.FromDatabase, ToSchema: toSchema, Warn: warn}, nil
}

// Picks tells whether some of a database's objects are chosen and others not, or go elsewhere: the
// target may then hold other things.
func (c *Config) Picks() bool {
	return c.Rules.Including() || len(c.Rules.NotSchemas)+len(c.Rules.NotTables) > 0 || c.ToSchema != ""
}

// A Part is one reading of a dump by a choice.
type Part struct {
	*Config
	used map[*choice.Pattern]bool

	objects    *objects
	extensions map[string][]*object // by the schema that they are in
	statements []*statement         // the definitions, in their order
	size       int                  // bytes of them
	planned    bool                 // all definitions are known, and what is chosen
	closed     bool                 // so is what that needs
	kept       []string             // what is taken as it is in the target, for people
	old        string               // the schema that goes into another; empty: none does
	into       bool                 // the other one is in the target
	from       bool                 // and so is the old one
	lives      bool                 // the target holds tables beside the part's
	given      []gift               // what the target gives to what is made there

	alone  bool          // the dump holds rows alone, and says what tables there are as they come
	first  *object       // that was chosen of such a dump
	owners map[name]name // then: the tables of the target that sequences go with
	rows   []bool        // of the tables of the dump, in its order: whether they are in the part
	frames []*dump.Item  // settings that wait for a statement to be made for; see framing
	yield  func(dump.Item, error) bool
	fresh  []*object // that have come to be wanted and were not sent yet
	queue  []*object // those among them whose needs are not known yet

	drops []drop // what Drop drops

	behind []name // the materialized views that have come behind the rows

	taken map[name]bool   // the names of the target's indexes that stay
	index map[name]string // the other names of the part's indexes, by those that are taken
}

// New begins a reading.
func New(c *Config) *Part {
	return &Part{
		Config: c, used: map[*choice.Pattern]bool{}, objects: newObjects(),
		frames: make([]*dump.Item, len(framing)),
		taken:  map[name]bool{}, index: map[name]string{},
	}
}

// begin holds the choice against what the dump says it is, and says what it is then.
func (p *Part) begin(head dump.Head) (dump.Head, error) {
	several := head.Form == script.Cluster
	p.alone = head.Form == script.RowsAlone
	switch {
	case several && p.From == "" && (p.Picks() || p.Rules.DataOnly):
		return head, fmt.Errorf("%w: it has %s", ErrNoDatabase, dump.Listed(head.Databases))
	case several && p.From != "" && !slices.Contains(head.Databases, p.From):
		return head, fmt.Errorf("%w: there is no %s, but %s", ErrNoDatabase, p.From, dump.Listed(head.Databases))
	case !several && p.From != "":
		return head, fmt.Errorf("%w: the dump is of one and does not say its name, so that %s cannot be chosen", ErrNoDatabase, p.From)
	case p.alone && p.Rules.SchemaOnly:
		return head, errors.New("definitions are asked for, and the dump holds rows alone")
	}
	if p.From != "" {
		head.Form, head.Databases = script.OneDatabase, nil
	}
	if p.Rules.DataOnly {
		head.Form = script.RowsAlone
	}
	return head, nil
}

// chooses tells whether the patterns choose something by its group and its name.
func (p *Part) chooses(o *object) bool {
	r, in := p.Rules, o.name.schema
	if o.group == schema {
		in = o.name.name
	}
	if in == "" {
		return !r.Including()
	}
	no := r.NotSchemas.Match(p.used, "", in)
	yes := !r.Including() || r.Schemas.Match(p.used, "", in)
	if o.group == relation {
		no = r.NotTables.Match(p.used, in, o.name.name) || no
		yes = r.Tables.Match(p.used, in, o.name.name) || yes
	}
	return yes && !no
}

// excludes tells whether the patterns keep a relation out.
func (p *Part) excludes(o *object) bool {
	return p.Rules.NotSchemas.Match(p.used, "", o.name.schema) || p.Rules.NotTables.Match(p.used, o.name.schema, o.name.name)
}
