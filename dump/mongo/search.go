package mongo

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// A searchProbe finds the indexes of Atlas Search and of vector search. They are
// kept by a process beside the server and left out of a dump, as by mongodump; who
// has some has to make them anew after a restore.
type searchProbe struct {
	none atomic.Bool // the server has no search, or this user may not ask: the first refusal is enough
}

// find returns the names of a collection's search indexes.
func (p *searchProbe) find(ctx context.Context, c *conn, coll *collection) (names []string) {
	if !c.server.mongod || p.none.Load() || coll.Type != "collection" || coll.DB == "admin" || coll.DB == "config" {
		return nil
	}
	err := c.each(ctx, coll.DB, bson.D{
		{Key: "aggregate", Value: coll.Name},
		{Key: "pipeline", Value: bson.A{bson.D{{Key: "$listSearchIndexes", Value: bson.D{}}}}},
		{Key: "cursor", Value: bson.D{}},
	}, func(doc bson.Raw) error {
		if name := indexName(doc); name != "" {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		p.none.Store(true)
	}
	return names
}

// warnOfSearch tells of search indexes that are not in the dump.
func (q *inquiry) warnOfSearch(listed []*collection) {
	var all []string
	for _, c := range listed {
		for _, name := range c.search {
			all = append(all, name+" of "+c.Namespace())
		}
	}
	if len(all) > 0 {
		q.warn(fmt.Sprintf("search indexes are left out, as by mongodump: %s; make them anew after a restore", shownAll(all)))
	}
}
