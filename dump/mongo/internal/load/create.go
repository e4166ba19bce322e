package load

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// create makes the collections. Views come last of all: they read from them. What the server
// refuses to make is no longer planned, nor are its documents and indexes.
func (s *loading) create(ctx context.Context) error {
	s.lost = map[source]*target{}
	var planned []*target
	for _, t := range s.plan {
		if t.kind == targetView {
			planned = append(planned, t)
			continue
		}
		s.asked.Add(1)
		err := s.createCollection(ctx, t)
		if isRefusal(ctx, err) {
			if s.targets[t.from.source] != nil {
				s.lost[t.from.source] = t
			}
			delete(s.targets, t.from.source)
		} else {
			planned = append(planned, t)
		}
		if err := s.orRefused(ctx, collectionRefused, "collection "+shown.Name(t.namespace()), err); err != nil {
			return err
		}
	}
	s.plan = planned
	return nil
}

// createCollection makes a collection, a time series or a view.
func (s *loading) createCollection(ctx context.Context, t *target) error {
	create := func(without []string) error {
		options, err := t.metadata.CreateOptions(without)
		if err != nil {
			return err
		}
		return s.run(ctx, t.db, append(bson.D{{Key: "create", Value: t.name}}, options...), &bson.Raw{})
	}
	err := create(s.expiry())
	if names := definition.UnknownOptions(t.metadata.Options); len(names) > 0 && server.HasCode(err, server.CodeUnknownField) {
		s.cfg.Warn(fmt.Sprintf("%s is made without options of the dump that the server does not know: %s: %v", shown.Name(t.namespace()), shown.Names(names), err))
		err = create(append(names, s.expiry()...))
	}
	if err != nil {
		return fmt.Errorf("%s: create: %w", shown.Name(t.namespace()), err)
	}
	return nil
}

// expires is the option by which documents expire: of a collection, or of an index.
const expires = "expireAfterSeconds"

// expiry is what collections and indexes of a drill go without: its documents are to be there when
// they are read back, however old they are.
func (s *loading) expiry() []string {
	if s.cfg.Drill {
		return []string{expires}
	}
	return nil
}
