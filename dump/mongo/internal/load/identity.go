package load

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
)

// identified is a document of the dump with an _id. Capped collections of old servers, and those
// made with autoIndexId: false, have documents without one; no server takes such in any more, but
// gives each an ObjectId of its own, as drivers do, and so does mongorestore. That would be another
// at each restore.
func (t *target) identified(doc bson.Raw) bson.Raw {
	if document.Has(doc, "_id") || t.kind == targetAuth {
		return doc
	}
	var id bson.ObjectID
	binary.BigEndian.PutUint64(id[:], xxhash.Sum64(doc))
	binary.BigEndian.PutUint32(id[8:], uint32(t.without)) // documents that are equal are still several
	t.without++
	elements := bsoncore.AppendObjectIDElement(nil, "_id", id)
	return bson.Raw(bsoncore.BuildDocument(nil, append(elements, doc[4:len(doc)-1]...)))
}
