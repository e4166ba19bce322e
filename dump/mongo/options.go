package mongo

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// What a server lists of a collection and of its indexes is what somebody set, and what the server notes there for
// itself; each version adds to both. A dump keeps all of it, as mongodump's does. What is let through on the way back
// is said here, and nowhere else:
//
//   - what a statement may set, or what the server itself makes of such: it goes back as it is. What a server refuses for
//     it is not made, and all else is, which is an error that names it,
//   - what is a server's own, which no server takes back: it is left out,
//   - what is in neither list, so newer than they are: who dumps is told, as nobody can say whether it was set. On the
//     way back it is tried, and left out with a warning where the server does not know it: one option less is a smaller
//     loss than the whole. mongorestore loses such an option of an index without a word, and fails by one of a
//     collection.

// indexOptions are those that createIndexes takes, of every version since 3.4.
var indexOptions = []string{
	"v", "key", "name", "unique", "sparse", "expireAfterSeconds", "partialFilterExpression", "hidden", "prepareUnique", "collation", "storageEngine",
	"weights", "default_language", "language_override", "textIndexVersion",
	"2dsphereIndexVersion", "coarsestIndexedLevel", "finestIndexedLevel", "bits", "min", "max", "bucketSize",
	"wildcardProjection", "columnstoreProjection",
	"background", "dropDups", // which have no effect any more, and are still listed where somebody set them
}

// ownIndexOptions are listed and not taken.
var ownIndexOptions = []string{
	"ns",                          // of servers before 4.4, and another name now
	"clustered",                   // says of an index that it is the collection itself, whose options make it
	"originalSpec",                // what a time series' index was made by, beside what became of it
	"buildUUID", "indexBuildInfo", // of one that is being built
	"spec",
	"safe", // a word of old drivers to the server, that old servers kept
}

// collectionOptions are those that create takes, of every version since 3.4.
var collectionOptions = []string{
	"capped", "size", "max", "storageEngine", "indexOptionDefaults", "collation", "clusteredIndex", "expireAfterSeconds", "timeseries",
	"validator", "validationLevel", "validationAction", "viewOn", "pipeline",
	"changeStreamPreAndPostImages", "recordPreImages", "encryptedFields", "flags",
}

// ownCollectionOptions are listed and not taken.
var ownCollectionOptions = []string{
	"autoIndexId", // of times when a collection could do without the index of _id
	"temp",        // of a statement under way
	recordIDs,     // the server's own choice, for which nobody may ask
	"uuid", "idIndex", "create",
}

// recordIDs is an option of collections that nobody may ask for.
const recordIDs = "recordIdsReplicated"

// unknown returns the names of a document's fields that are in none of the lists.
func unknown(doc bson.Raw, lists ...[]string) []string {
	elements, _ := doc.Elements()
	var names []string
	for _, e := range elements {
		if !slices.ContainsFunc(lists, func(list []string) bool { return slices.Contains(list, e.Key()) }) {
			names = append(names, e.Key())
		}
	}
	return names
}

func unknownOptions(collection bson.Raw) []string {
	return unknown(collection, collectionOptions, ownCollectionOptions)
}

func unknownIndexOptions(index bson.Raw) []string {
	return unknown(index, indexOptions, ownIndexOptions)
}

// warnOfUnknown tells what is in the dump and in none of the lists.
func (s *Source) warnOfUnknown(c *collection) {
	tell := func(what string, names []string) {
		if len(names) > 0 {
			s.cfg.Warn(fmt.Sprintf("%s has options that this program does not know, and that may be this server's own: %s; they are in the dump, and a server that does not know them leaves them out", what, shown.Names(names)))
		}
	}
	tell(shown.Name(c.Namespace()), unknownOptions(c.options))
	for _, index := range c.indexes {
		name := "index " + shown.Name(indexName(index)) + " of " + shown.Name(c.Namespace())
		tell(name, unknownIndexOptions(index))
		if kind := unknownKind(index); kind != "" {
			s.cfg.Warn(fmt.Sprintf("%s is of a kind that this program does not know: %s; it is in the dump as the server describes it", name, shown.Name(kind)))
		}
	}
}

// createOptions is what the server is told of a collection, but for some.
func (t *target) createOptions(without []string) (bson.D, error) {
	elements, err := t.metadata.Options.Elements()
	if err != nil && len(t.metadata.Options) > 0 {
		return nil, err
	}
	var d bson.D
	for _, e := range elements {
		if !slices.Contains(ownCollectionOptions, e.Key()) && !slices.Contains(without, e.Key()) {
			d = append(d, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	return d, nil
}

const codeUnknownField = 40415

func (s *loading) createCollection(ctx context.Context, t *target) error {
	create := func(without []string) error {
		options, err := t.createOptions(without)
		if err != nil {
			return err
		}
		return s.run(ctx, t.db, append(bson.D{{Key: "create", Value: t.name}}, options...), &bson.Raw{})
	}
	err := create(nil)
	if names := unknownOptions(t.metadata.Options); len(names) > 0 && hasCode(err, codeUnknownField) {
		s.cfg.Warn(fmt.Sprintf("%s is made without options of the dump that the server does not know: %s: %v", shown.Name(t.namespace()), shown.Names(names), err))
		err = create(names)
	}
	if err != nil {
		return fmt.Errorf("%s: create: %w", shown.Name(t.namespace()), err)
	}
	return nil
}
