package catalog

import (
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// What a MongoDB of 5.0 to 8.3 can hold, and what becomes of it in a dump:
//
//	collections, capped, clustered, encrypted   dumped (enxcol_ and the key vault are collections like others)
//	views                                       dumped as definitions
//	time series                                 dumped as their buckets
//	indexes of every kind                       dumped as definitions
//	Search and vector search indexes            left out, as by mongodump: another process keeps them; named
//	by what a collection is sharded             in its metadata; see sharding.go
//	system.js                                   dumped
//	users and roles                             with all databases, or MONGO_DUMP_USERS; see users.go
//	system.views, system.buckets.*              dumped as views and time series
//	system.profile                              left out, as by mongodump: it is what the profiler saw
//	config                                      what describes a cluster and its settings; the rest left out, as by
//	                                            mongodump; cluster parameters, query settings among them, are named
//	local                                       left out, as by mongodump: it is of one member; what users put there is named
//	databases __mdb_internal…                   left out: the server's own
//	collections of a statement under way        left out: temp
//
// What is on none of the lists is named in a warning, and dumped as it is where it can be. The list
// of a collection's fields is below; those of collections' types, options and kinds of indexes are
// in package definition.

// newestKnown is the newest version of which is known what it can hold.
var newestKnown = version.Number{8, 3}

// entryFields are those of a collection that listCollections answers with, beside its options.
var entryFields = []string{"name", "type", "options", "info", "idIndex"}

// warnOfVersion tells of a server that may hold what is on no list here.
func (q *Inquiry) warnOfVersion() {
	info := q.Conn.Info
	if v := info.Version; info.Mongod && (v[0] > newestKnown[0] || v[0] == newestKnown[0] && v[1] > newestKnown[1]) {
		q.Warn(fmt.Sprintf("the server is a MongoDB %s, newer than this program, which knows up to %d.%d: what is new in it may be missing from the dump", shown.Name(info.Text), newestKnown[0], newestKnown[1]))
	}
}

// warnOfKind tells of a collection of which something is on no list here.
func (q *Inquiry) warnOfKind(db string, e *entry) {
	name := shown.Name(db + "." + e.name)
	if !slices.Contains(definition.CollectionTypes, e.kind) {
		q.Warn(fmt.Sprintf("%s is of a kind that this program does not know: %s; it is dumped like a collection", name, shown.Name(e.kind)))
	}
	if len(e.unknown) > 0 {
		q.Warn(fmt.Sprintf("the server says of %s what this program does not know, and what is not in the dump: %s", name, shown.Names(e.unknown)))
	}
}

// warnOfLeftOut tells of a collection that is not dumped and not known to be the server's own.
func (q *Inquiry) warnOfLeftOut(db, name string) {
	if db == "admin" || db == "config" || !q.Filter.Wants(db+"."+name) {
		return
	}
	if namespace.IsOwnCollection(name) {
		return
	}
	q.Warn(fmt.Sprintf("%s is left out, as by mongodump: its name is one of the server's own", shown.Name(db+"."+name)))
}
