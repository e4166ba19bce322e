package definition

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
)

// What a server lists of a collection and of its indexes is what somebody set, and what the server
// notes there for itself; each version adds to both. A dump keeps all of it, as mongodump's does.
// What is let through on the way back is said here, and nowhere else:
//
//   - what a statement may set, or what the server itself makes of such: it goes back as it is.
//     What a server refuses for it is not made, and all else is, which is an error that names it,
//   - what is a server's own, which no server takes back: it is left out,
//   - what is in neither list, so newer than they are: who dumps is told, as nobody can say whether
//     it was set. On the way back it is tried, and left out with a warning where the server does
//     not know it: one option less is a smaller loss than the whole. mongorestore loses such an
//     option of an index without a word, and fails by one of a collection.

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
	RecordIDs,     // the server's own choice, for which nobody may ask
	"uuid", "idIndex", "create",
}

// RecordIDs is an option of collections that nobody may ask for.
const RecordIDs = "recordIdsReplicated"

// UnknownOptions returns the names of a collection's options that are in none of the lists.
func UnknownOptions(collection bson.Raw) []string {
	return document.Unlisted(collection, collectionOptions, ownCollectionOptions)
}

// UnknownIndexOptions returns the names of an index's options that are in none of the lists.
func UnknownIndexOptions(index bson.Raw) []string {
	return document.Unlisted(index, indexOptions, ownIndexOptions)
}

// CollectionTypes are those that listCollections answers with, of every version.
var CollectionTypes = []string{"collection", "view", "timeseries"}
