package moment

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/oplog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/rows"
)

// OplogCollection is the oplog as it stands in the archive.
func OplogCollection() *catalog.Collection {
	return &catalog.Collection{Collection: archive.Collection{Name: "oplog"}, FromDB: "local", From: "oplog.rs", Before: -1}
}

// CopyOplog writes the oplog, from the dump's start to now. All of it must be there still, and
// nothing in it that could not be played on what was read.
func (p Point) CopyOplog(ctx context.Context, r *rows.Reader, out *archive.Writer, recorded *catalog.Collection, check *oplog.Check) error {
	end, err := oplog.Newest(ctx, r.Conn)
	if err != nil {
		return err
	}
	if err := oplog.UntilVisible(ctx, r.Conn, end); err != nil {
		return err
	}
	recorded.Filter = oplog.Between(p.Oplog, end)
	first := true
	var last bson.Timestamp
	recorded.Inspect = func(entry bson.Raw) error {
		if first {
			t, i, ok := entry.Lookup("ts").TimestampOK()
			if !ok || !p.Oplog.Equal(bson.Timestamp{T: t, I: i}) {
				return oplog.ErrRolledOver
			}
			first = false
		}
		last.T, last.I, _ = entry.Lookup("ts").TimestampOK()
		return check.Entry(entry)
	}
	if err := r.Copy(ctx, out, []*catalog.Collection{recorded}); err != nil {
		return err
	}
	if first {
		return oplog.ErrRolledOver
	}
	if !last.Equal(end) {
		return fmt.Errorf("read local.oplog.rs: its last entry is of %d.%d, and %d.%d was read last: the server ended its answer too early", end.T, end.I, last.T, last.I)
	}
	oldest, err := oplog.Oldest(ctx, r.Conn)
	if err != nil {
		return err
	}
	if p.Oplog.Before(oldest) {
		return oplog.ErrRolledOver
	}
	return nil
}
