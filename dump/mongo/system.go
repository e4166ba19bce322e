package mongo

import (
	"slices"
	"strings"
)

// configCollections are those that a sharded cluster is described by. mongodump
// leaves out the rest of config, which a server keeps for itself.
var configCollections = []string{"chunks", "collections", "databases", "settings", "shards", "tags", "version"}

// internalPrefix begins the names of databases that a server keeps for itself since 8.2.
const internalPrefix = "__mdb_internal"

// dumps tells whether a collection is any of a dump's business, as mongodump has
// it: what the server keeps for itself is not, but for what users put into it.
func (s *Source) dumps(db, name string) bool {
	switch {
	case db == "admin" && name == "system.keys":
		return false
	case db == "config" && s.cfg.Database != "config":
		return slices.Contains(configCollections, name)
	case db == "admin" && isServersOwnCollection(name):
		return false // mongodump takes them for plain collections, and no server takes them back
	case db == "admin", db == "config":
	case strings.HasPrefix(name, "system.") && name != "system.js":
		return false
	}
	return !strings.Contains(name, "$")
}

// isServersOwn tells whether a server keeps a database for itself: nothing of
// another one goes there.
func isServersOwn(db string) bool {
	return db == "config" || db == "local" || strings.HasPrefix(db, internalPrefix)
}
