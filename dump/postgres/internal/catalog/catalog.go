// Package catalog is what a database holds by its definitions: it reads every kind of object from
// the server's catalogues, chooses those that the dump is of, ties them by their dependencies, puts
// them in order and writes them as SQL, with the privileges on them, or tells of one that it is
// left out.
//
// A kind of object is a file: its query, and the statements that make it. The kinds of which one
// query gives the whole statement are one file together, definition.go, an entry each. An object
// that can be neither read nor ordered nor written as the rest does not cost the others their
// backup. Rows, large objects' contents and where sequences stand are objects here only to have a
// place among the others: what is in them is read elsewhere. So is what belongs to a whole server
// and no database.
package catalog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readers read the catalogues, one kind of object each. Later ones rely on earlier ones.
var readers = []struct {
	what string
	read func(context.Context, *Database) error
}{
	{"settings", func(ctx context.Context, c *Database) error { return server.WarnOfLosses(ctx, c.conn, c.warn) }},
	{"roles", func(ctx context.Context, c *Database) (err error) { c.roles, err = ReadRoles(ctx, c.conn); return err }},
	{"comments", readComments},
	{"extensions", readExtensions},
	{"schemas", readSchemas},
	{"collations", readCollations},
	{"tables", readRelations},
	{"columns", readColumns},
	{"inheritance", readInheritance},
	{"types", readTypes},
	{"functions", readFunctions},
	{"aggregates", readAggregates},
	{"definitions", readDefinitions},
	{"options of user mappings", blindMappings},
	{"sequences", readSequences},
	{"views", readViews},
	{"defaults", readDefaults},
	{"constraints", readConstraints},
	{"indexes", readIndexes},
	{"rules", readRules},
	{"triggers", readTriggers},
	{"policies", readPolicies},
	{"published tables", readPublished},
	{"subscriptions", readSubscriptions},
	{"default privileges", readDefaultPrivileges},
	{"large objects", readLargeObjects},
	{"orders of columns", readOrders},
	{"the catalogues a second time", checkCounts},
	{"dependencies", readDependencies},
	{"selection", settleSelection},
}

// Read reads what conn's database holds of the selection, but no rows. warn is told what has to be
// left out.
func Read(ctx context.Context, conn *pgx.Conn, srv server.Info, sel *choice.Rules, warn func(string)) (*Database, error) {
	c := &Database{
		conn: conn, srv: srv, sel: sel, warn: warn,
		Used: map[*choice.Pattern]bool{}, schemaNames: map[uint32]string{},
		at:         map[Address]*object{},
		rels:       map[uint32]*Relation{},
		indexes:    map[uint32]string{},
		signatures: map[*object][]uint32{},
		members:    map[Address]uint32{},
		comments:   map[column][]comment{},
	}
	for _, r := range readers {
		if err := r.read(ctx, c); err != nil {
			return nil, fmt.Errorf("read %s: %w", r.what, err)
		}
	}
	return c, nil
}
