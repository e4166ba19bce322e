package load

import (
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// A collection is one that the dump announces, or a time series, a view, or the recorded oplog.
type collection struct {
	source   source
	db, name string
	kind     string // as the item's Type
	metadata string // options and indexes in extended JSON; may be empty
}

// A source is where in the dump a collection's documents are: those of the items of that Database
// and Table.
type source struct{ database, table string }

func sourceOf(i dump.Item) source { return source{i.Database, i.Table} }

// collectionOf is the collection that an item announces, in a dump of such a server.
func collectionOf(i dump.Item, server version.Number) collection {
	name := server.ListedName(i.Type, strings.TrimPrefix(i.Table, i.Database+"."))
	return collection{source: sourceOf(i), db: i.Database, name: name, kind: i.Type, metadata: i.Text}
}

// namespace is the collection's full name.
func (c collection) namespace() string { return c.db + "." + c.name }

// isOplog tells of the recorded oplog, which is announced like a collection without a database.
func (c collection) isOplog() bool { return c.db == "" && c.name == "oplog" }
