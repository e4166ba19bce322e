package namespace

import (
	"fmt"
	"slices"
	"strings"
)

// configCollections are those that a sharded cluster is described by. mongodump leaves out the rest
// of config, which a server keeps for itself.
var configCollections = []string{"chunks", "collections", "databases", "settings", "shards", "tags", "version"}

// InternalPrefix begins the names of databases that a server keeps for itself since 8.2.
const InternalPrefix = "__mdb_internal"

// IsOwnDatabase tells whether a server keeps a database for itself: nothing of another one goes
// there.
func IsOwnDatabase(db string) bool {
	return db == "config" || db == "local" || strings.HasPrefix(db, InternalPrefix)
}

// IsDumped tells whether a collection is any of the business of a dump of one database, or without
// one of all, as mongodump has it: what the server keeps for itself is not, but for what users put
// into it.
func IsDumped(asked, db, name string) bool {
	switch {
	case db == "admin" && name == "system.keys":
		return false
	case db == "config" && asked != "config":
		return slices.Contains(configCollections, name)
	case db == "admin" && IsOwnCollection(name):
		return false // mongodump takes them for plain collections, and no server takes them back
	case db == "admin", db == "config":
	case strings.HasPrefix(name, "system.") && name != "system.js":
		return false
	}
	return !strings.Contains(name, "$")
}

// ownCollections of a database are the server's. Those that begin so are made by it alone.
var ownCollections = []string{"system.views", "system.profile", "system.indexes", "system.namespaces", "system.buckets.", "system.resharding.", "system.drop.", "system.sharding_ddl_coordinators"}

// IsOwnCollection tells of a collection that the server makes itself.
func IsOwnCollection(name string) bool {
	return slices.ContainsFunc(ownCollections, func(own string) bool {
		return name == own || strings.HasSuffix(own, ".") && strings.HasPrefix(name, own)
	})
}

// AuthCollections, of the database admin, hold users, roles, and the version of their form. In an
// archive they stand first, where mongorestore looks for them.
var AuthCollections = []string{"system.users", "system.roles", "system.version"}

// IsAuth tells of a collection of users and roles.
func IsAuth(db, name string) bool { return db == "admin" && slices.Contains(AuthCollections, name) }

// AuthRank is the place in which a collection of users and roles stands; any other is behind them
// all.
func AuthRank(db, name string) int {
	if i := slices.Index(AuthCollections, name); i >= 0 && db == "admin" {
		return i
	}
	return len(AuthCollections)
}

// IsLoaded tells whether a collection of an archive is loaded at all.
func IsLoaded(db, name string) bool {
	switch {
	case db == "config", strings.HasPrefix(db, InternalPrefix), IsOwnCollection(name), db == "admin" && name == "system.keys":
		return false // each server's own
	case db == "" || strings.HasPrefix(name, "$"):
		return false
	}
	return true
}

// Views is the collection in which each database has its views. Nobody may write there, so what
// happened to a view is done by command.
const Views = "system.views"

// CheckDatabase refuses what is no name of a database.
func CheckDatabase(name string) error {
	if len(name) > 63 || strings.ContainsAny(name, "/\\. \"$\x00") { // on Windows *<>:|? are none either
		return fmt.Errorf("%q is no name of a database", name)
	}
	return nil
}
