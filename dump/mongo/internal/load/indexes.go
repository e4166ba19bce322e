package load

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// index makes the indexes of as many collections at once as the load has sessions. Those that take
// longest begin first, so that none of them is left to itself at the end: who has the most bytes.
// Each collection's are one command, for which its documents are read once.
func (s *loading) index(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(min(s.cfg.Jobs, mostSessions))
	largest := slices.SortedStableFunc(slices.Values(s.plan), func(a, b *target) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, t := range largest {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return s.createIndexes(ctx, t)
		})
	}
	return group.Wait()
}

// createIndexes makes a collection's indexes, but for that of _id, which comes with the collection.
// Those that the server refuses are noted.
func (s *loading) createIndexes(ctx context.Context, t *target) error {
	collated := definition.HasCollation(t.metadata.Options)
	var names []string
	var indexes []bson.D
	for _, index := range t.metadata.Indexes {
		if definition.IsIDIndex(index) {
			continue
		}
		create, err := definition.IndexSpec(index, collated)
		if err != nil {
			return fmt.Errorf("%s: create index %s: %w", shown.Name(t.namespace()), shown.Name(definition.IndexName(index)), err)
		}
		create = slices.DeleteFunc(create, func(e bson.E) bool { return slices.Contains(s.expiry(), e.Key) })
		names, indexes = append(names, definition.IndexName(index)), append(indexes, create)
		if unknown := definition.UnknownIndexOptions(index); len(unknown) > 0 {
			s.cfg.Warn(fmt.Sprintf("index %s of %s has options that this program does not know, and is without those that the server does not: %s", shown.Name(definition.IndexName(index)), shown.Name(t.namespace()), shown.Names(unknown)))
		}
	}
	s.asked.Add(int64(len(indexes)))
	what := func(names []string) string { return "index " + shown.Names(names) + " of " + shown.Name(t.namespace()) }
	err := s.makeIndexes(ctx, t, names, indexes) // together, as the documents are read once for all of them
	if len(indexes) < 2 || !isRefusal(ctx, err) {
		return s.orRefused(ctx, indexRefused, what(names), err)
	}
	for i := range indexes { // it has made none, and does not always say of which index its error is
		err := s.makeIndexes(ctx, t, names[i:i+1], indexes[i:i+1])
		if err := s.orRefused(ctx, indexRefused, what(names[i:i+1]), err); err != nil {
			return err
		}
	}
	return nil
}

// makeIndexes makes all of these indexes, or none.
func (s *loading) makeIndexes(ctx context.Context, t *target, names []string, indexes []bson.D) error {
	if len(indexes) == 0 {
		return nil
	}
	command := bson.D{{Key: "createIndexes", Value: t.name}, {Key: "indexes", Value: indexes}}
	if s.conn.Info.Mongod { // as older servers took into an index's options whatever there was: see definition
		command = append(command, bson.E{Key: "ignoreUnknownIndexOptions", Value: true})
	}
	if err := s.run(ctx, t.db, command, &bson.Raw{}); err != nil {
		return fmt.Errorf("%s: create index %s: %w", shown.Name(t.namespace()), shown.Names(names), err)
	}
	return nil
}
