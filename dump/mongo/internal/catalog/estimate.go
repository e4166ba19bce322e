package catalog

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// Estimate returns how many documents the server says that a collection has; negative: it does not
// say.
func Estimate(ctx context.Context, c *server.Conn, coll *Collection) int64 {
	if coll.Filter != nil || coll.IsView() {
		return -1
	}
	db, name := coll.Source(c.Info.Version)
	command, field := bson.D{{Key: "count", Value: name}}, "n"
	if !c.Info.Mongod { // which may read all that it counts
		command, field = bson.D{{Key: "collStats", Value: name}}, "count"
	}
	var answer bson.Raw
	if err := c.Run(ctx, db, c.RawData(command, coll.Type), &answer); err != nil {
		return -1
	}
	n, ok := answer.Lookup(field).AsInt64OK()
	if !ok {
		return -1
	}
	return n
}

// EstimateAll asks for the estimate of each collection.
func EstimateAll(ctx context.Context, c *server.Conn, all []*Collection, jobs int) {
	var group errgroup.Group
	group.SetLimit(max(jobs, 1))
	for _, coll := range all {
		group.Go(func() error {
			coll.Before, coll.estimated = Estimate(ctx, c, coll), true
			return nil
		})
	}
	_ = group.Wait()
}

// holdAgainstStats compares the number of collections and views of each database with what its
// statistics say. It needs the right dbStats, which the role read has and backup has not; where it
// is missing the names alone are compared, see entries.
func (q *Inquiry) holdAgainstStats(ctx context.Context, listed []*Collection) {
	if !q.Conn.Info.Mongod || q.Conn.Info.Mongos || q.Conn.Info.Proxy { // those that count otherwise
		return
	}
	seen := map[string]bool{}
	for _, c := range listed {
		if seen[c.DB] || c.DB == "" {
			continue
		}
		seen[c.DB] = true
		const tries = 3 // others make and drop collections meanwhile
		var named int
		var counted int64
		for range tries {
			var answer bson.Raw
			if q.Conn.Run(ctx, c.DB, bson.D{{Key: "dbStats", Value: 1}}, &answer) != nil {
				break
			}
			collections, ok := answer.Lookup("collections").AsInt64OK()
			views, ok2 := answer.Lookup("views").AsInt64OK()
			names, err := collectionNames(ctx, q.Conn, c.DB)
			if err != nil || !ok || !ok2 {
				counted = 0
				break
			}
			named, counted = len(names), collections+views
			if int64(named) >= counted {
				break
			}
		}
		if int64(named) < counted {
			q.Warn(fmt.Sprintf("the server counts %d collections and views in %s and names %d: the dump may be short of some", counted, shown.Name(c.DB), named))
		}
	}
}
