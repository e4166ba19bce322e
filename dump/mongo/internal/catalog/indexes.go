package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// readIndexes fills in the indexes, with several commands under way at once.
func readIndexes(ctx context.Context, c *server.Conn, all []*Collection, jobs int, search *searchProbe) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(jobs)
	var listed server.Listing
	for _, coll := range all {
		if coll.Type == "" {
			continue
		}
		group.Go(func() error {
			if coll.search = search.find(ctx, c, coll); coll.IsView() {
				return nil
			}
			command := bson.D{{Key: "listIndexes", Value: coll.Name}, {Key: "cursor", Value: bson.D{}}}
			seen := map[string]bool{}
			err := c.Each(ctx, coll.DB, command, func(index bson.Raw) error {
				name := definition.IndexName(index)
				_, hasKey := index.Lookup("key").DocumentOK()
				switch {
				case name == "" || !hasKey || index.Validate() != nil || document.Deeper(index, document.MostDepth):
					return errors.New("the server lists one without a name or a key")
				case seen[name]:
					return fmt.Errorf("the server lists %s twice", shown.Name(name))
				}
				seen[name] = true
				coll.indexes = append(coll.indexes, slices.Clone(index))
				return listed.Add(index)
			})
			if err == nil && len(coll.indexes) == 0 && c.Info.Mongod && coll.hasIDIndex() {
				err = errors.New("the server lists none, not even that of _id")
			}
			if err != nil {
				return fmt.Errorf("list the indexes of %s: %w", shown.Name(coll.Namespace()), err)
			}
			if !coll.estimated {
				coll.Before = Estimate(ctx, c, coll)
			}
			// The server lists them as they were made, each member for itself.
			slices.SortFunc(coll.indexes, func(a, b bson.Raw) int { return strings.Compare(definition.IndexName(a), definition.IndexName(b)) })
			return nil
		})
	}
	return group.Wait()
}

// hasIDIndex tells whether there must be an index of _id. A time series has none, and before 4.0
// whoever made a collection could do without.
func (c *Collection) hasIDIndex() bool {
	return c.Type == "collection" && !document.Has(c.Options, "autoIndexId") && c.DB != "local"
}
