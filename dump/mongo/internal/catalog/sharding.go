package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// Through a mongos a collection is read as a whole, wherever its documents lie. By what it is
// sharded is noted in its metadata, where mongorestore passes over it. Zones, and which shard has
// what, are of one cluster and are not kept, nor is a collection that was moved to a shard as a
// whole.

// noteSharding notes of each collection by what it is sharded.
func (q *Inquiry) noteSharding(ctx context.Context, all []*Collection) error {
	if !q.Conn.Info.Mongos || q.Conn.Info.Proxy {
		return nil
	}
	byName := map[string]*Collection{}
	for _, c := range all {
		if c.DB != "config" && c.DB != "admin" {
			byName[c.DB+"."+q.Conn.Info.Version.DataName(c.Type, c.Name)] = c
		}
	}
	command := bson.D{{Key: "find", Value: "collections"}, {Key: "noCursorTimeout", Value: true}}
	if db := q.Database; db != "" {
		command = append(command, bson.E{Key: "filter", Value: bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: db + "."}, {Key: "$lt", Value: db + "/"}}}}})
	}
	err := q.Conn.Each(ctx, "config", command, func(doc bson.Raw) error {
		name, _ := doc.Lookup("_id").StringValueOK()
		c := byName[name]
		key, ok := doc.Lookup("key").DocumentOK()
		if c == nil || !ok || document.True(doc, "dropped") || document.True(doc, "unsplittable") {
			return nil
		}
		key, err := c.userKey(key)
		if err != nil {
			return fmt.Errorf("%s: %w", shown.Name(name), err)
		}
		c.sharding, err = bson.Marshal(bson.D{{Key: "key", Value: key}, {Key: "unique", Value: document.True(doc, "unique")}})
		return err
	})
	if server.HasCode(err, server.CodeUnauthorized) {
		q.Warn("which collections are sharded, and by what, is not in the dump, as this user may not read config.collections: a restore makes them unsharded")
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what is sharded: %w", err)
	}
	return nil
}

// userKey is a collection's key as shardCollection takes it: that of a time series is listed as one
// of its buckets.
func (c *Collection) userKey(key bson.Raw) (bson.Raw, error) {
	meta, _ := c.Options.Lookup("timeseries", "metaField").StringValueOK()
	at, _ := c.Options.Lookup("timeseries", "timeField").StringValueOK()
	elements, err := key.Elements()
	if err != nil || c.Type != "timeseries" {
		return slices.Clone(key), err
	}
	var d bson.D
	for _, e := range elements {
		name := e.Key()
		if rest, ok := strings.CutPrefix(name, "meta"); ok && meta != "" && (rest == "" || rest[0] == '.') {
			name = meta + rest
		} else if name == "control.min."+at {
			name = at
		}
		d = append(d, bson.E{Key: name, Value: e.Value()})
	}
	return bson.Marshal(d)
}
