package mongo

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// estimate returns how many documents the server says that a collection has;
// negative: it does not say.
func estimate(ctx context.Context, c *server.Conn, coll *collection) int64 {
	if coll.filter != nil || coll.isView() {
		return -1
	}
	db, name := coll.source(c.Info.Version)
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

// estimateAll asks for the estimate of each collection.
func estimateAll(ctx context.Context, c *server.Conn, all []*collection, jobs int) {
	var group errgroup.Group
	group.SetLimit(max(jobs, 1))
	for _, coll := range all {
		group.Go(func() error {
			coll.before, coll.estimated = estimate(ctx, c, coll), true
			return nil
		})
	}
	_ = group.Wait()
}

// holdAgainstStats compares the number of collections and views of each database
// with what its statistics say. It needs the right dbStats, which the role read
// has and backup has not; where it is missing the names alone are compared, see
// entries.
func (q *inquiry) holdAgainstStats(ctx context.Context, listed []*collection) {
	if !q.conn.Info.Mongod || q.conn.Info.Mongos || q.conn.Info.Proxy { // those that count otherwise
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
			if q.conn.Run(ctx, c.DB, bson.D{{Key: "dbStats", Value: 1}}, &answer) != nil {
				break
			}
			collections, ok := answer.Lookup("collections").AsInt64OK()
			views, ok2 := answer.Lookup("views").AsInt64OK()
			names, err := collectionNames(ctx, q.conn, c.DB)
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
			q.warn(fmt.Sprintf("the server counts %d collections and views in %s and names %d: the dump may be short of some", counted, shown.Name(c.DB), named))
		}
	}
}
