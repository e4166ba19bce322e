package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// A Database is one of those in a dump, with all that is written of it but the rows.
type Database struct {
	Name      string
	charset   string
	collation string
	encrypted bool   // MySQL: what is made in it is encrypted by default
	comment   string // MariaDB

	Sequences []Sequence
	Tables    []*Table
	Views     []View
	Routines  []Program
	triggers  []Program
	events    []Program

	UnknownTables, unknownRoutines int // kinds that this program does not know
}

// read reads the definitions of a database.
func (c *Reader) read(ctx context.Context, name string) (*Database, error) {
	if err := c.Conn.Exec(ctx, "USE "+quote.Name(name)); err != nil {
		return nil, err
	}
	db := &Database{Name: name}
	for _, step := range []struct {
		what string
		read func(context.Context, *Database) error
	}{
		{"defaults", c.readDefaults},
		{"tables", c.readTables},
		{"views", c.readViews},
		{"routines", c.readRoutines},
		{"triggers", c.readTriggers},
		{"events", c.readEvents},
	} {
		if err := step.read(ctx, db); err != nil {
			return nil, fmt.Errorf("read %s: %w", step.what, err)
		}
	}
	return db, c.count(ctx, db)
}

func (c *Reader) readDefaults(ctx context.Context, db *Database) error {
	columns := "schema_name AS name, default_character_set_name AS charset, default_collation_name AS collation"
	if c.Conn.IsMariaDB() {
		columns += ", schema_comment AS comment"
	} else {
		columns += ", default_encryption AS encryption"
	}
	rows, err := c.Conn.List(ctx, "SELECT "+columns+" FROM information_schema.schemata WHERE "+c.Conn.DatabaseIs("schema_name", db.Name))
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return fmt.Errorf("information_schema knows %d databases of this name", len(rows))
	}
	r := rows[0]
	if c.Conn.Fold(r["name"]) != c.Conn.Fold(db.Name) {
		return fmt.Errorf("information_schema has %+q for its name", guard.Shortened(r["name"]))
	}
	if db.Name = r["name"]; c.Conn.IsSystemSchema(db.Name) {
		return fmt.Errorf("it is the server's own")
	}
	db.charset, db.collation, db.comment, db.encrypted = r["charset"], r["collation"], r["comment"], r["encryption"] == "YES"
	return (guard.Settings{Charset: db.charset, Collation: db.collation}).Check()
}

func (c *Reader) ReadAll(ctx context.Context, names []string) ([]*Database, error) {
	var databases []*Database
	c.texts = nil
	for _, name := range names {
		db, err := c.read(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("database %s: %w", name, err)
		}
		databases = append(databases, db)
	}
	later(databases)
	return databases, nil
}

func use(p *guard.Printer, db *Database) {
	if p.Qualified {
		p.In(guard.Home())
		p.Stmt("USE %s", quote.Name(db.Name))
	}
}

// PrintBeginning writes what comes before a database's tables.
func (db *Database) PrintBeginning(p *guard.Printer) {
	p.BeginOf(dump.Definitions, db.Name)
	p.Mark("database")
	printDatabase(p, db)
	for _, seq := range db.Sequences {
		seq.print(p)
	}
	p.Mark("tables")
}

// PrintAfterRows writes what is added to a database's tables when all have their rows, and what
// acts on them when it is used.
func (db *Database) PrintAfterRows(p *guard.Printer) {
	p.BeginOf(dump.AfterRows, db.Name)
	for _, t := range db.Tables {
		if len(t.Later) > 0 && t.Joined {
			p.Stmt("%s", ddl.AddElements(t.Name, t.Later))
		}
	}
	for _, t := range db.Tables {
		if len(t.Foreign) > 0 {
			p.Stmt("%s", ddl.AddElements(t.Name, t.Foreign))
		}
	}
	p.Mark("routines, triggers")
	for _, v := range db.Views {
		v.printStandIn(p)
	}
	for _, list := range [][]Program{db.Routines, db.triggers} {
		for _, r := range list {
			r.print(p, db)
		}
	}
	p.In(guard.Home())
}

// PrintViews writes a database's views, which read what all that is before them made, and its
// events, which might begin to act at once.
func (db *Database) PrintViews(p *guard.Printer) {
	p.BeginOf(dump.AfterRows, db.Name)
	use(p, db)
	p.Mark("views, events")
	for _, v := range db.Views {
		v.print(p)
	}
	for _, e := range db.events {
		e.print(p, db)
	}
	p.In(guard.Home())
}

// printDatabase makes the database, or gives the one that is used its defaults.
func printDatabase(p *guard.Printer, db *Database) {
	defaults := fmt.Sprintf("CHARACTER SET %s COLLATE %s", db.charset, db.collation)
	if db.encrypted {
		defaults += " ENCRYPTION 'Y'"
	}
	if db.comment != "" {
		defaults += " COMMENT " + quote.Literal(db.comment)
	}
	if p.Qualified {
		p.Stmt("CREATE DATABASE IF NOT EXISTS %s", quote.Name(db.Name))
		use(p, db)
	}
	p.Stmt("ALTER DATABASE %s%s", databaseName(p, db), defaults)
}

// databaseName is how ALTER DATABASE names the database: the one that is used needs no name.
func databaseName(p *guard.Printer, db *Database) string {
	if p.Qualified {
		return quote.Name(db.Name) + " "
	}
	return ""
}

// Empty tells whether there is nothing in the databases that were read.
func Empty(databases []*Database) bool {
	return !slices.ContainsFunc(databases, func(db *Database) bool {
		return len(db.Tables)+len(db.Views)+len(db.Sequences)+len(db.Routines)+len(db.events) > 0
	})
}
