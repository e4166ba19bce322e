package catalog

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// A searchProbe finds the indexes of Search and of vector search, of Atlas and, since 8.2, of any
// server that has it set up. They are kept by a process beside the server and left out of a dump,
// as by mongodump; who has some has to make them anew after a restore.
type searchProbe struct {
	unknown atomic.Bool // the server has search, and this user may not ask
	none    atomic.Bool // the server has no search, or this user may not ask: the first refusal is enough
}

// find returns the names of a collection's search indexes.
func (p *searchProbe) find(ctx context.Context, c *server.Conn, coll *Collection) (names []string) {
	ofView := coll.IsView() && c.Info.Version.AtLeast(version.Number{8})
	if !c.Info.Mongod || p.none.Load() || coll.Type != "collection" && !ofView || coll.DB == "admin" || coll.DB == "config" {
		return nil
	}
	err := c.Each(ctx, coll.DB, bson.D{
		{Key: "aggregate", Value: coll.Name},
		{Key: "pipeline", Value: bson.A{bson.D{{Key: "$listSearchIndexes", Value: bson.D{}}}}},
		{Key: "cursor", Value: bson.D{}},
	}, func(doc bson.Raw) error {
		if name := definition.IndexName(doc); name != "" {
			names = append(names, name)
		}
		return nil
	})
	if err != nil && !p.none.Swap(true) && server.HasCode(err, server.CodeUnauthorized) {
		p.unknown.Store(hasSearch(ctx, c))
	}
	return names
}

// hasSearch tells whether the server has a process beside it that searches, as far as it says so: a
// user who may not ask for search indexes is told that before it is looked whether there can be
// any.
func hasSearch(ctx context.Context, c *server.Conn) bool {
	var answer struct {
		Host string `bson:"mongotHost"`
	}
	err := c.Run(ctx, "admin", bson.D{{Key: "getParameter", Value: 1}, {Key: "mongotHost", Value: 1}}, &answer)
	return err == nil && answer.Host != ""
}

// warnOfSearch tells of search indexes that are not in the dump.
func (q *Inquiry) warnOfSearch(listed []*Collection, search *searchProbe) {
	if search.unknown.Load() {
		q.Warn("search indexes are left out, as by mongodump, and whether there are any this user may not see (listSearchIndexes)")
	}
	var all []string
	for _, c := range listed {
		for _, name := range c.search {
			all = append(all, name+" of "+c.Namespace())
		}
	}
	if len(all) > 0 {
		q.Warn(fmt.Sprintf("search indexes are left out, as by mongodump: %s; make them anew after a restore", shown.Names(all)))
	}
}
