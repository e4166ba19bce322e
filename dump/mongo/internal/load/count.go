package load

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// countDocuments asks the server how many documents a collection holds now.
//
// A mongod keeps the number. FerretDB counts by reading: v1 decodes each document for it, which
// takes almost as long as to insert them. Its statistics are to be had at once: those of v1 count
// the entries of the table's pages, which is exact, and those of v2 are the planner's, who knows
// roughly. So a number of theirs is believed where it is the right one, and else all are counted.
func (s *loading) countDocuments(ctx context.Context, t *target) error {
	if t.kind != targetCollection || document.True(t.metadata.Options, "capped") || document.Has(t.metadata.Options, "expireAfterSeconds") || s.conn.Info.Mongos {
		return nil // not all that went in is there, or not once
	}
	query := bson.D{}
	if !s.conn.Info.Mongod {
		if s.holdsByStatistics(ctx, t, t.inserted) {
			return nil
		}
		query = bson.D{{Key: "_id", Value: bson.D{{Key: "$exists", Value: true}}}} // without one v2 says what its planner knows
	}
	var answer struct {
		N int64 `bson:"n"`
	}
	err := s.run(ctx, t.db, bson.D{{Key: "count", Value: t.name}, {Key: "query", Value: query}}, &answer)
	if server.HasCode(err, server.CodeUnauthorized) { // the role restore may write and not look
		return nil
	}
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	if answer.N != t.inserted {
		return fmt.Errorf("it holds %d documents after %d were inserted", answer.N, t.inserted)
	}
	return nil
}

// holdsByStatistics tells whether the server's statistics have so many documents in a collection.
func (s *loading) holdsByStatistics(ctx context.Context, t *target, documents int64) bool {
	var answer bson.Raw
	if s.run(ctx, t.db, bson.D{{Key: "collStats", Value: t.name}}, &answer) != nil {
		return false
	}
	n, ok := answer.Lookup("count").AsInt64OK()
	return ok && n == documents
}
