package mongo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// Through a mongos a collection is read as a whole, wherever its documents lie. By
// what it is sharded is noted in its metadata, where mongorestore passes over it, and
// on the way back into a cluster it is sharded anew while it is empty: the cluster's
// balancer then spreads it. Zones, and which shard has what, are of one cluster and
// are not kept, nor is a collection that was moved to a shard as a whole.

// noteSharding notes of each collection by what it is sharded.
func (d *dumping) noteSharding(ctx context.Context, all []*collection) error {
	if !d.conn.Info.Mongos || d.conn.Info.Proxy {
		return nil
	}
	byName := map[string]*collection{}
	for _, c := range all {
		if c.DB != "config" && c.DB != "admin" {
			byName[c.DB+"."+d.conn.Info.Version.DataName(c.Type, c.Name)] = c
		}
	}
	command := bson.D{{Key: "find", Value: "collections"}, {Key: "noCursorTimeout", Value: true}}
	if db := d.cfg.Database; db != "" {
		command = append(command, bson.E{Key: "filter", Value: bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: db + "."}, {Key: "$lt", Value: db + "/"}}}}})
	}
	err := d.conn.Each(ctx, "config", command, func(doc bson.Raw) error {
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
		d.warn("which collections are sharded, and by what, is not in the dump, as this user may not read config.collections: a restore makes them unsharded")
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what is sharded: %w", err)
	}
	return nil
}

// userKey is a collection's key as shardCollection takes it: that of a time series is
// listed as one of its buckets.
func (c *collection) userKey(key bson.Raw) (bson.Raw, error) {
	meta, _ := c.options.Lookup("timeseries", "metaField").StringValueOK()
	at, _ := c.options.Lookup("timeseries", "timeField").StringValueOK()
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

// shard shards the collections that were, as far as the target can; they have been
// made and are empty. What is not sharded is named: it is whole all the same.
func (s *loading) shard(ctx context.Context) error {
	var unsharded []string
	for _, t := range s.plan {
		key, ok := t.metadata.Sharding.Lookup("key").DocumentOK()
		switch {
		case !ok:
		case !s.conn.Info.Mongos:
			unsharded = append(unsharded, t.namespace())
		default:
			if err := s.createKeyIndexes(ctx, t, key); err != nil {
				return err
			}
			if err := s.shardCollection(ctx, t, key); err != nil && ctx.Err() == nil {
				s.cfg.Warn(fmt.Sprintf("%s is not sharded, as it was where it was dumped: %v", shown.Name(t.namespace()), err))
			} else if err != nil {
				return context.Cause(ctx)
			}
		}
	}
	if len(unsharded) > 0 {
		s.cfg.Warn("collections that were sharded are not, as the target is no mongos of a sharded cluster: " + shown.Names(unsharded))
	}
	return nil
}

// createKeyIndexes makes those of a collection's indexes now that serve a key by which
// it is sharded. Where there is none the server makes one, with nothing of what the
// dump's has, which it then refuses beside its own.
func (s *loading) createKeyIndexes(ctx context.Context, t *target, key bson.Raw) error {
	now := *t
	now.metadata.Indexes = nil
	t.metadata.Indexes = slices.DeleteFunc(t.metadata.Indexes, func(index bson.Raw) bool {
		serves := definition.BeginsWith(index, key)
		if serves {
			now.metadata.Indexes = append(now.metadata.Indexes, index)
		}
		return serves
	})
	return s.createIndexes(ctx, &now)
}

func (s *loading) shardCollection(ctx context.Context, t *target, key bson.Raw) error {
	command := bson.D{{Key: "shardCollection", Value: t.namespace()}, {Key: "key", Value: key}, {Key: "unique", Value: document.True(t.metadata.Sharding, "unique")}}
	if definition.HasCollation(t.metadata.Options) { // chunks know no other
		command = append(command, bson.E{Key: "collation", Value: bson.D{{Key: "locale", Value: "simple"}}})
	}
	err := s.run(ctx, "admin", command, &bson.Raw{})
	if !server.HasCode(err, server.CodeIllegalOperation) {
		return err
	}
	if s.run(ctx, "admin", bson.D{{Key: "enableSharding", Value: t.db}}, &bson.Raw{}) != nil {
		return err
	}
	return s.run(ctx, "admin", command, &bson.Raw{})
}
