package catalog

import (
	"context"
	"errors"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"
)

// errNoSize is of a server that answers without what it was asked for.
var errNoSize = errors.New("no size")

// Size returns about how many bytes the documents of a list of collections have, as the server's
// statistics say it; 0: it does not say it of all of them, or not to this user.
//
// A database that is dumped as a whole is one question, in which the few bytes of what is its own
// count as well; else there is one for each collection. What a server has from its first start, and
// users, are of no weight.
func (q *Inquiry) Size(ctx context.Context, all []*Collection) int64 {
	const atOnce = 4
	var sum atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	ask := func(db string, command bson.D, field string) {
		group.Go(func() error {
			var answer bson.Raw
			if err := q.Conn.Run(ctx, db, command, &answer); err != nil {
				return err
			}
			n, ok := answer.Lookup(field).AsInt64OK()
			if !ok {
				return errNoSize
			}
			sum.Add(n)
			return nil
		})
	}
	asked := map[string]bool{}
	for _, c := range all {
		switch {
		case c.IsView() || c.Filter != nil || !q.IsContent(c):
		case !q.Filter.All():
			db, name := c.Source(q.Conn.Info.Version)
			ask(db, q.Conn.RawData(bson.D{{Key: "collStats", Value: name}}, c.Type), "size")
		case !asked[c.DB]:
			asked[c.DB] = true
			ask(c.DB, bson.D{{Key: "dbStats", Value: 1}}, "dataSize")
		}
	}
	if group.Wait() != nil {
		return 0
	}
	return sum.Load()
}
