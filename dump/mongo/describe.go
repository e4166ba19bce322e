package mongo

import (
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// describe writes the collection's metadata. It returns the names of those of the
// options and indexes that only this program reads back.
func (c *collection) describe(withUUID bool) (inexact []string, err error) {
	m := definition.Metadata{Options: c.options, Indexes: c.indexes, CollectionName: c.Name, Type: c.Type, Sharding: c.sharding}
	if withUUID {
		m.UUID = c.uuid
	}
	text, inexact, err := m.Text()
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", shown.Name(c.Namespace()), err)
	}
	c.Metadata = text
	return inexact, nil
}

// warnOfInexact tells what of a collection comes back by this program alone.
func (s *Source) warnOfInexact(c *collection, names []string) {
	if len(names) > 0 {
		s.cfg.Warn(fmt.Sprintf("%s: extended JSON, which is what mongorestore reads, does not hold all that it has: %s; restore brings it back as it is, mongorestore leaves it out", shown.Name(c.Namespace()), shown.Names(names)))
	}
}

// warnOfUnknown tells what is in the dump and in none of the lists.
func (s *Source) warnOfUnknown(c *collection) {
	tell := func(what string, names []string) {
		if len(names) > 0 {
			s.cfg.Warn(fmt.Sprintf("%s has options that this program does not know, and that may be this server's own: %s; they are in the dump, and a server that does not know them leaves them out", what, shown.Names(names)))
		}
	}
	tell(shown.Name(c.Namespace()), definition.UnknownOptions(c.options))
	for _, index := range c.indexes {
		name := "index " + shown.Name(definition.IndexName(index)) + " of " + shown.Name(c.Namespace())
		tell(name, definition.UnknownIndexOptions(index))
		if kind := definition.UnknownKind(index); kind != "" {
			s.cfg.Warn(fmt.Sprintf("%s is of a kind that this program does not know: %s; it is in the dump as the server describes it", name, shown.Name(kind)))
		}
	}
}
