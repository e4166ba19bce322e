package load

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// A dump may have two documents of one _id. A cursor in the order of insertion comes by one that
// was deleted and inserted anew a second time, and a mongos by one that moves from shard to shard;
// on a sharded collection that has another key two may even be meant. Who reads in the order of _id
// sees equal ones side by side and sends one; in the order of insertion nobody can tell without
// keeping every _id.
//
// On the way back the oplog says which of them it is, where the dump has one. Else one that is
// equal to what is there is passed over, and any other is named at the end, where all else is
// restored.

// isSecondID tells whether a document was refused because there is one with its _id, and not by
// another unique index, as a sharded collection may have one while documents come. Not all servers
// say by which.
func isSecondID(refused *mongo.WriteError) bool {
	key, named := refused.Raw.Lookup("keyPattern").DocumentOK()
	return refused.HasErrorCode(server.CodeDuplicateKey) && (!named || definition.IsIDKey(key))
}

// second takes note of documents that were refused because there are others with their _ids.
func (s *loading) second(ctx context.Context, t *target, docs []bson.Raw) error {
	if len(docs) == 0 {
		return nil
	}
	if s.replays {
		t.add(&t.twice, len(docs))
		return nil
	}
	equal, err := s.equals(ctx, t, docs)
	if ctx.Err() == nil && server.IsElection(err) {
		equal, err = s.equals(ctx, t, docs)
	}
	why := firstThere
	if s.sessions(t) > 1 {
		why = otherThere
	}
	if server.HasCode(err, server.CodeUnauthorized) { // the role restore may write and not look
		why = notCompared
	} else if err != nil {
		return err
	}
	for _, doc := range docs {
		if equal[string(idFirst(doc))] {
			t.add(&t.twice, 1)
		} else {
			s.leaveOut(t, doc, why)
		}
	}
	return nil
}

// equals returns which of some documents the target has, by their bytes. It looks at those of their
// _ids: through a mongos there may be several of each.
func (s *loading) equals(ctx context.Context, t *target, docs []bson.Raw) (map[string]bool, error) {
	ids, equal := bson.A{}, map[string]bool{}
	for _, doc := range docs {
		ids = append(ids, doc.Lookup("_id"))
		equal[string(idFirst(doc))] = false
	}
	command := bson.D{
		{Key: "find", Value: t.dataName(s.conn.Info.Version)},
		{Key: "filter", Value: bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}},
	}
	if t.kind == targetTimeSeries && s.conn.Info.Version.RawData() {
		command = append(command, bson.E{Key: "rawData", Value: true})
	}
	cur, err := s.conn.Cursor(ctx, t.db, command)
	if err != nil {
		return nil, err
	}
	defer cur.End(ctx)
	for cur.Next(ctx) {
		doc := string(idFirst(cur.Current))
		if _, sent := equal[doc]; sent {
			equal[doc] = true
		}
	}
	return equal, cur.Err()
}

// idFirst is a document with its _id in the first place, where a server puts it.
func idFirst(doc bson.Raw) bson.Raw {
	elements, err := doc.Elements()
	if err != nil {
		return doc
	}
	var first, rest [][]byte
	for _, e := range elements {
		if e.Key() == "_id" {
			first = append(first, e)
		} else {
			rest = append(rest, e)
		}
	}
	return bson.Raw(bsoncore.BuildDocumentFromElements(nil, append(first, rest...)...))
}
