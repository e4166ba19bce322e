package catalog

import (
	"context"
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// describe writes the collection's metadata. It returns the names of those of the options and
// indexes that only this program reads back.
func (c *Collection) describe(withUUID bool) (inexact []string, err error) {
	m := definition.Metadata{Options: c.Options, Indexes: c.indexes, CollectionName: c.Name, Type: c.Type, Sharding: c.sharding}
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
func (q *Inquiry) warnOfInexact(c *Collection, names []string) {
	if len(names) > 0 {
		q.Warn(fmt.Sprintf("%s: extended JSON, which is what mongorestore reads, does not hold all that it has: %s; restore brings it back as it is, mongorestore leaves it out", shown.Name(c.Namespace()), shown.Names(names)))
	}
}

// warnOfUnknown tells what is in the dump and in none of the lists.
func (q *Inquiry) warnOfUnknown(c *Collection) {
	tell := func(what string, names []string) {
		if len(names) > 0 {
			q.Warn(fmt.Sprintf("%s has options that this program does not know, and that may be this server's own: %s; they are in the dump, and a server that does not know them leaves them out", what, shown.Names(names)))
		}
	}
	tell(shown.Name(c.Namespace()), definition.UnknownOptions(c.Options))
	for _, index := range c.indexes {
		name := "index " + shown.Name(definition.IndexName(index)) + " of " + shown.Name(c.Namespace())
		tell(name, definition.UnknownIndexOptions(index))
		if kind := definition.UnknownKind(index); kind != "" {
			q.Warn(fmt.Sprintf("%s is of a kind that this program does not know: %s; it is in the dump as the server describes it", name, shown.Name(kind)))
		}
	}
}

// Describe fills in what is not listed of collections: indexes, by what they are sharded, and their
// metadata; and tells what a restore will not bring back as it is. jobs commands are under way at
// once.
func (q *Inquiry) Describe(ctx context.Context, listed []*Collection, withUUIDs bool, jobs int) error {
	var search searchProbe
	if err := readIndexes(ctx, q.Conn, listed, jobs, &search); err != nil {
		return err
	}
	q.warnOfSearch(listed, &search)
	if err := q.noteSharding(ctx, listed); err != nil {
		return err
	}
	for _, coll := range listed {
		q.warnOfUnknown(coll)
		inexact, err := coll.describe(withUUIDs)
		if err != nil {
			return err
		}
		q.warnOfInexact(coll, inexact)
	}
	return nil
}
