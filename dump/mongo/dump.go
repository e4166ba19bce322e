package mongo

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/moment"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/oplog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/rows"
)

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
	d := &dumping{
		inquiry: &catalog.Inquiry{Conn: c, Choice: s.choice, Warnings: s.cfg.Warn, Choices: s.cfg.Debug},
		reader:  &rows.Reader{Conn: c, ByID: s.byID(c.Info.Mongos), Jobs: s.cfg.Jobs, Refresh: s.refresh, Warn: s.cfg.Warn},
	}
	if d.moment, d.listed, err = moment.Settle(ctx, d.inquiry, s.cfg.Oplog, s.cfg.Jobs); err != nil {
		return err
	}
	d.reader.At = d.moment.At
	if err := d.inquiry.RefuseNothing(ctx, d.listed); err != nil {
		return err
	}
	d.inquiry.WarnOfMissing(ctx, d.listed)
	if err := d.inquiry.Describe(ctx, d.listed, s.cfg.UUIDs, s.cfg.Jobs); err != nil {
		return err
	}
	buf := bufio.NewWriterSize(w, 64<<10) // for what is small; chunks pass by it
	contents, err := d.write(ctx, buf, s.cfg.Table)
	if err != nil {
		return err
	}
	if err := buf.Flush(); err != nil {
		return err
	}
	s.cfg.Contents(*contents)
	return nil
}

// A dumping is one Dump under way.
type dumping struct {
	inquiry *catalog.Inquiry
	reader  *rows.Reader
	moment  moment.Point
	listed  []*catalog.Collection // as it was at the moment
}

// write writes the archive of what was listed, and then looks whether all of that is still there.
// It returns what is in the archive, and where, and tells told each collection on the way.
func (d *dumping) write(ctx context.Context, w io.Writer, told func(dump.Table)) (*dump.Contents, error) {
	all := append(d.inquiry.UsersOfOne(), d.listed...)
	prelude := archive.Prelude{ServerVersion: d.inquiry.Conn.Info.Text, Concurrent: 1}
	for _, coll := range all {
		prelude.Collections = append(prelude.Collections, coll.Collection)
	}
	recorded := moment.OplogCollection()
	if !d.moment.Oplog.IsZero() {
		prelude.Collections = append(prelude.Collections, recorded.Collection)
	}
	out, err := archive.NewWriter(w, prelude)
	if err != nil {
		return nil, err
	}
	out.Table = told
	if err := d.reader.Copy(ctx, out, all); err != nil {
		return nil, err
	}
	check := oplog.NewCheck()
	for _, coll := range d.listed {
		check.List(coll.DB, coll.Name, coll.Type)
	}
	if !d.moment.Oplog.IsZero() {
		if err := d.moment.CopyOplog(ctx, d.reader, out, recorded, check); err != nil {
			return nil, err
		}
	}
	now, err := d.inquiry.List(ctx)
	if err != nil {
		return nil, err
	}
	if err := catalog.Unchanged(d.listed, now); err != nil {
		return nil, err
	}
	for _, coll := range now {
		if err := check.Explained(coll.DB, coll.Name, coll.Type); err != nil {
			return nil, err
		}
	}
	return out.Close()
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
