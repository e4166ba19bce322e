package mongo

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/oplog"
)

// A dumping is one Dump under way.
type dumping struct {
	inquiry
	byID bool // documents leave in the order of _id
	moment
}

// Dump writes the archive. See dump.Source.
func (s *Source) Dump(ctx context.Context, w io.Writer) error {
	if err := s.dump(ctx, w); err != nil {
		return fmt.Errorf("dump %s: %w", s.name(), s.withGrant(err))
	}
	return nil
}

func (s *Source) dump(ctx context.Context, w io.Writer) error {
	c, err := s.cfg.Connect(ctx)
	if err != nil {
		return err
	}
	s.cfg.WarnUnencrypted(s.cfg.Warn)
	defer c.Close(ctx)
	d := &dumping{inquiry: inquiry{Source: s, conn: c}, byID: s.byID(c.Info.Mongos)}
	listed, err := d.settle(ctx)
	if err != nil {
		return err
	}
	if err := d.nothing(ctx, listed); err != nil {
		return err
	}
	d.warnOfVersion()
	d.warnOfUnmatched(listed)
	d.warnOfUsers(ctx)
	d.warnOfLocal(ctx)
	d.warnOfClusterParameters(ctx)
	d.holdAgainstStats(ctx, listed)
	var search searchProbe
	if err := readIndexes(ctx, c, listed, s.cfg.Jobs, &search); err != nil {
		return err
	}
	d.warnOfSearch(listed, &search)
	if err := d.noteSharding(ctx, listed); err != nil {
		return err
	}
	for _, coll := range listed {
		s.warnOfUnknown(coll)
		inexact, err := coll.describe(s.cfg.UUIDs)
		if err != nil {
			return err
		}
		s.warnOfInexact(coll, inexact)
	}
	buf := bufio.NewWriterSize(w, 64<<10) // for what is small; chunks pass by it
	if err := d.write(ctx, buf, listed); err != nil {
		return err
	}
	return buf.Flush()
}

// write writes the archive of what was listed, and then looks whether all of
// that is still there.
func (d *dumping) write(ctx context.Context, w io.Writer, listed []*collection) error {
	all := append(d.usersOfOne(), listed...)
	prelude := archive.Prelude{ServerVersion: d.conn.Info.Text, Concurrent: 1}
	for _, coll := range all {
		prelude.Collections = append(prelude.Collections, coll.Collection)
	}
	recorded := newOplog()
	if !d.oplog.IsZero() {
		prelude.Collections = append(prelude.Collections, recorded.Collection)
	}
	out, err := archive.NewWriter(w, prelude)
	if err != nil {
		return err
	}
	if err := d.copyDocuments(ctx, out, all); err != nil {
		return err
	}
	check := oplog.NewCheck()
	for _, coll := range listed {
		check.List(coll.DB, coll.Name, coll.Type)
	}
	if !d.oplog.IsZero() {
		if err := d.copyOplog(ctx, out, recorded, check); err != nil {
			return err
		}
	}
	now, err := d.list(ctx)
	if err != nil {
		return err
	}
	if err := unchanged(listed, now); err != nil {
		return err
	}
	for _, coll := range now {
		if err := check.Explained(coll.DB, coll.Name, coll.Type); err != nil {
			return err
		}
	}
	_, err = out.Close()
	return err
}

// byID tells whether documents leave in the order of _id.
func (s *Source) byID(throughMongos bool) bool {
	switch s.cfg.Order {
	case OrderNatural:
		return false
	case OrderID:
		return true
	}
	if throughMongos { // which mixes what the shards send, as it comes
		s.cfg.Debug("documents leave in the order of _id, as they are read through a mongos")
	}
	return throughMongos
}
