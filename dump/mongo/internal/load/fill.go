package load

import (
	"context"
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// fill puts an item's documents where they go, or plays its oplog. What goes nowhere is passed
// over.
func (s *loading) fill(ctx context.Context, item dump.Item) error {
	t := s.targets[sourceOf(item)]
	switch {
	case s.isPlayed(item):
		return s.replayOplog(ctx, item)
	case item.End == nil && s.users != nil && sourceOf(item) == s.users.version:
		return s.readVersion(item)
	case t == nil:
		if item.End != nil && s.lost[sourceOf(item)] != nil {
			s.missAll(*item.End)
		}
		return nil
	case item.End != nil:
		if err := s.filled(ctx, t, *item.End); err != nil {
			return fmt.Errorf("%s: %w", shown.Name(t.namespace()), err)
		}
		return nil
	}
	if t.kind == targetAuth {
		s.users.copied = true
	}
	return s.insert(ctx, t, item)
}

// isPlayed tells whether an item is of the recorded oplog, and that is to be played.
func (s *loading) isPlayed(item dump.Item) bool { return s.replays && item.Kind == dump.AfterRows }

// filled is called when all of a collection's documents are in it.
func (s *loading) filled(ctx context.Context, t *target, want dump.Table) error {
	if t.inserted+t.twice+t.others != want.Rows {
		return fmt.Errorf("%d documents were inserted, the dump holds %d", t.inserted, want.Rows)
	}
	if t.without > 0 {
		s.cfg.Warn(fmt.Sprintf("%s: %d documents have no _id, as only old servers allowed; servers give each one, so they have got one made of what they hold and of their place, the same at each restore", shown.Name(t.namespace()), t.without))
	}
	if err := s.countDocuments(ctx, t); err != nil {
		return err
	}
	s.asked.Add(1)
	s.miss(t, want.Name, t.others)
	if t.kind == targetCollection || t.kind == targetTimeSeries { // and not users, nor views, which have no documents
		s.compared.Tables++
		s.compared.Rows += want.Rows
		s.compared.Of = append(s.compared.Of, want)
	}
	return nil
}
