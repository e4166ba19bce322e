package mongo

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/breaking-backups/breaking-backups/dump/mongo/archive"
)

// A dumping is one Dump under way.
type dumping struct {
	*Source
	conn *conn
	byID bool // documents leave in the order of _id
}

// Dump writes the archive. See dump.Source.
func (s *Source) Dump(ctx context.Context, w io.Writer) error {
	if err := s.dump(ctx, w); err != nil {
		return fmt.Errorf("dump %s: %w", s.name(), err)
	}
	return nil
}

func (s *Source) dump(ctx context.Context, w io.Writer) error {
	c, err := s.cfg.connect(ctx)
	if err != nil {
		return err
	}
	defer c.close(ctx)
	d := &dumping{Source: s, conn: c, byID: s.byID(c.server)}

	all, err := s.list(ctx, c)
	if err != nil {
		return err
	}
	if err := readIndexes(ctx, c, all, s.cfg.Jobs); err != nil {
		return err
	}
	prelude := archive.Prelude{ServerVersion: c.server.version, Concurrent: 1}
	for _, coll := range all {
		if err := coll.describe(s.cfg.UUIDs); err != nil {
			return err
		}
		prelude.Collections = append(prelude.Collections, coll.Collection)
	}
	buf := bufio.NewWriterSize(w, 64<<10) // for what is small; chunks pass by it
	out, err := archive.NewWriter(buf, prelude)
	if err != nil {
		return err
	}
	if err := d.copyDocuments(ctx, out, all); err != nil {
		return err
	}
	now, err := s.list(ctx, c)
	if err != nil {
		return err
	}
	if err := unchanged(all, now); err != nil {
		return err
	}
	if _, err := out.Close(); err != nil {
		return err
	}
	return buf.Flush()
}

// byID tells whether documents leave in the order of _id.
func (s *Source) byID(server serverInfo) bool {
	switch s.cfg.Order {
	case OrderNatural:
		return false
	case OrderID:
		return true
	}
	// A mongos mixes what the shards send as it comes.
	id := !server.mongod || server.mongos
	if id {
		s.cfg.Debug("documents leave in the order of _id")
	} else {
		s.cfg.Debug("documents leave in their natural order")
	}
	return id
}
