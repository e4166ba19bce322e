package load

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// A collection that was sharded where it was dumped is sharded anew in a cluster while it is empty:
// the cluster's balancer then spreads it.

// shard shards the collections that were, as far as the target can; they have been made and are
// empty. What is not sharded is named: it is whole all the same.
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

// createKeyIndexes makes those of a collection's indexes now that serve a key by which it is
// sharded. Where there is none the server makes one, with nothing of what the dump's has, which it
// then refuses beside its own.
func (s *loading) createKeyIndexes(ctx context.Context, t *target, key bson.Raw) error {
	now := &target{db: t.db, name: t.name, metadata: t.metadata}
	now.metadata.Indexes = nil
	t.metadata.Indexes = slices.DeleteFunc(t.metadata.Indexes, func(index bson.Raw) bool {
		serves := definition.BeginsWith(index, key)
		if serves {
			now.metadata.Indexes = append(now.metadata.Indexes, index)
		}
		return serves
	})
	return s.createIndexes(ctx, now)
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
