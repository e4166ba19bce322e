package mongo

import (
	"context"
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/catalog"
)

// Survey connects to the server, finds out what would be dumped, and ends the connection: what
// makes every dump fail from the start fails here, before anything else is begun. See dump.Survey.
func (s *Source) Survey(ctx context.Context) (dump.Survey, error) {
	found, err := s.survey(ctx)
	if err != nil {
		return dump.Survey{}, fmt.Errorf("dump %s: %w", s.name(), s.withGrant(err))
	}
	return found, nil
}

func (s *Source) survey(ctx context.Context) (dump.Survey, error) {
	c, err := s.cfg.Connect(ctx)
	if err != nil {
		return dump.Survey{}, err
	}
	defer c.Close(ctx)
	q := &catalog.Inquiry{Conn: c, Choice: s.choice}
	all, err := q.List(ctx)
	if err != nil {
		return dump.Survey{}, err
	}
	if err := q.RefuseNothing(ctx, all); err != nil {
		return dump.Survey{}, err
	}
	return dump.Survey{Source: q.Source(ctx), Empty: !slices.ContainsFunc(all, q.IsContent), Bytes: q.Size(ctx, all)}, nil
}
