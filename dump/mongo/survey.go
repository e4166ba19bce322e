package mongo

import (
	"context"
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
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

// ListDatabases returns the names of the databases that a dump by these settings would hold
// something of, each of which is to be dumped by itself. They are sorted. The server's own and
// those of drills are not among them.
func (s *Source) ListDatabases(ctx context.Context) ([]string, error) {
	names, err := s.listDatabases(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the databases: %w", s.withGrant(err))
	}
	return names, nil
}

func (s *Source) listDatabases(ctx context.Context) (names []string, err error) {
	c, err := s.cfg.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	q := &catalog.Inquiry{Conn: c, Choice: s.choice}
	all, err := q.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, coll := range all {
		own := coll.DB == "admin" || namespace.IsOwnDatabase(coll.DB)
		if !own && !dump.IsScratchName(coll.DB) && !slices.Contains(names, coll.DB) {
			names = append(names, coll.DB)
		}
	}
	slices.Sort(names)
	return names, nil
}
