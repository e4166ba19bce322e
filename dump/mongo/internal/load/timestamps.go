package load

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/xoptions"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// keepEmptyTimestamps puts back the timestamps of zero in documents that have just been inserted,
// where the server did not leave them.
func (s *loading) keepEmptyTimestamps(ctx context.Context, t *target, coll *mongo.Collection, docs []any) error {
	if !s.conn.Info.Mongod || s.conn.Info.TakesEmptyTimestamps() || t.kind == targetTimeSeries {
		return nil
	}
	for _, doc := range docs {
		raw := doc.(bson.Raw)
		if !hasEmptyTimestamp(raw) {
			continue
		}
		which := bson.D{{Key: "_id", Value: raw.Lookup("_id")}}
		whole := bson.A{bson.D{{Key: "$replaceRoot", Value: bson.D{{Key: "newRoot", Value: bson.D{{Key: "$literal", Value: raw}}}}}}}
		opts := options.UpdateOne()
		err := xoptions.SetInternalUpdateOneOptions(opts, "addCommandFields", bson.D{s.conn.WriteConcern()})
		if err == nil {
			_, err = coll.UpdateOne(ctx, which, whole, opts)
		}
		if one, ok := errors.AsType[mongo.WriteException](err); ok && one.WriteConcernError != nil { // it was done
			return s.conn.Unacknowledged(err)
		}
		if err != nil && t.warnsFirst() {
			s.cfg.Warn(fmt.Sprintf("%s: empty timestamps become the present, as this server has it: %v", shown.Name(t.namespace()), err))
		}
	}
	return nil
}

// warnsFirst tells whether nobody has warned yet of the target's timestamps.
func (t *target) warnsFirst() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := !t.warned
	t.warned = true
	return first
}

// hasEmptyTimestamp tells of a field of the document itself, as only there the server looks, and
// not at _id.
func hasEmptyTimestamp(doc bson.Raw) bool {
	elements, err := doc.Elements()
	if err != nil {
		return false
	}
	for _, e := range elements {
		if seconds, order, ok := e.Value().TimestampOK(); ok && seconds == 0 && order == 0 && e.Key() != "_id" {
			return true
		}
	}
	return false
}
