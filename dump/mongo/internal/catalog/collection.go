package catalog

import (
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// A Collection is a collection or view to dump.
type Collection struct {
	archive.Collection
	Options   bson.Raw
	uuid      string // of its present incarnation, in hexadecimal; empty where the server has none
	indexes   []bson.Raw
	sharding  bson.Raw // key and unique, of one that is sharded
	search    []string // names of its search indexes, which are not in the dump
	Before    int64    // the documents that the server says it has, before they are read; negative: it does not say
	estimated bool     // before is known

	FromDB, From string               // where the documents are, if elsewhere
	Filter       bson.D               // selects some of the documents; nil means all
	Inspect      func(bson.Raw) error // sees each document before it is written; may be nil
}

// Source is the collection that the documents are read from.
func (c *Collection) Source(v version.Number) (db, name string) {
	if c.From != "" {
		return c.FromDB, c.From
	}
	return c.DB, v.DataName(c.Type, c.Name)
}

// IsView tells of a view, which has no documents of its own.
func (c *Collection) IsView() bool { return c.Type == "view" }

// IsCapped tells of a collection that has an end, at which the oldest documents go.
func (c *Collection) IsCapped() bool { return document.True(c.Options, "capped") }

// Unchanged tells of collections that were dropped or renamed since before was listed: what was
// read under their names is then not what was meant.
func Unchanged(before, after []*Collection) error {
	now := make(map[string]*Collection, len(after))
	for _, c := range after {
		now[c.Namespace()] = c
	}
	for _, c := range before {
		switch same := now[c.Namespace()]; {
		case same == nil:
			return fmt.Errorf("%s was dropped or renamed during the dump", shown.Name(c.Namespace()))
		case same.uuid != c.uuid || same.Type != c.Type:
			return fmt.Errorf("%s was dropped and made anew during the dump", shown.Name(c.Namespace()))
		}
	}
	return nil
}

// Same tells of a collection that is still what it was when it was listed.
func (c *Collection) Same(other *Collection) bool {
	return c.Namespace() == other.Namespace() && c.Type == other.Type && c.uuid == other.uuid
}

// KnowsPast tells whether a collection can be read as of a time that has passed.
func (c *Collection) KnowsPast() bool {
	return !c.IsView() && !c.IsCapped() && c.DB != "admin" && c.DB != "config" && c.DB != "local" && c.Type != ""
}
