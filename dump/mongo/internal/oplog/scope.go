package oplog

import (
	"maps"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// A Scope is what there is, as far as an oplog has been read.
//
// Between the oplog's beginning and the listing of collections some are dropped; others are
// temporary, as those of $out, and left out; and some are each server's own. What the oplog says of
// them is passed over, as a server does that makes itself a copy of another: at the oplog's end
// they are gone, or would be.
type Scope struct {
	databases, collections, views map[string]bool
}

// NewScope returns a scope in which there is nothing yet.
func NewScope() Scope {
	return Scope{map[string]bool{}, map[string]bool{}, map[string]bool{}}
}

// Add adds a collection, of a time series also its buckets, or a view.
func (s Scope) Add(db, name, kind string) {
	s.databases[db] = true
	switch kind {
	case "view":
		s.views[db+"."+name] = true
		return
	case "timeseries":
		s.collections[db+"."+version.BucketsPrefix+name] = true
	}
	s.collections[db+"."+name] = true
}

// Covers tells whether an operation is about what there is, or makes it. It follows what the
// operation does.
func (s Scope) Covers(o *Operation) bool {
	ns := o.Namespace()
	switch o.Deed {
	case Nothing, Several:
		return true
	case CreateCollection:
		if s.collections[ns] || !namespace.IsLoaded(o.DB, o.Name) || document.True(o.Object, "temp") {
			return false // made before it was listed, or not dumped
		}
		s.Add(o.DB, o.Name, "")
		return true
	case ChangeView:
		there := s.views[ns]
		switch {
		case o.Op == "d":
			buckets := o.DB + "." + version.BucketsPrefix + o.Name
			if s.collections[ns] && s.collections[buckets] { // a time series whose buckets are dropped next
				there = true
				s.drop(o.DB, version.BucketsPrefix+o.Name)
			}
			delete(s.views, ns)
			return there
		case there, s.collections[ns]: // made before it was listed, or gone before the collection was made
			return false
		}
		s.Add(o.DB, o.Name, "view")
		return true
	case DropDatabase:
		defer s.DropDatabase(o.DB)
		return s.databases[o.DB]
	case DropCollection:
		defer s.drop(o.DB, o.Name)
	}
	return s.collections[ns] || namespace.IsAuth(o.DB, o.Name)
}

// drop takes out a collection; one of buckets with its time series.
func (s Scope) drop(db, name string) {
	delete(s.collections, db+"."+name)
	series, ok := strings.CutPrefix(name, version.BucketsPrefix)
	if ns := db + "." + series; ok && s.collections[ns] {
		delete(s.collections, ns)
		s.views[ns] = true // as which it stands among the views
	}
}

// DropDatabase takes out a database, and returns the names of what there was in it.
func (s Scope) DropDatabase(db string) (dropped []string) {
	delete(s.databases, db)
	for _, all := range []map[string]bool{s.views, s.collections} {
		for _, ns := range slices.Sorted(maps.Keys(all)) {
			if name, ok := strings.CutPrefix(ns, db+"."); ok {
				delete(all, ns)
				dropped = append(dropped, name)
			}
		}
	}
	return dropped
}

// DropView takes out a view.
func (s Scope) DropView(db, name string) { delete(s.views, db+"."+name) }
