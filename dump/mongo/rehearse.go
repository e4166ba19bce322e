package mongo

import (
	"context"
	"errors"
	"io"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/load"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// Rehearse reads an archive to its end and looks at what a Load of it would meet, and changes
// nothing. The error is of an archive that is not whole, or of a server that was not reached; what
// stands in a load's way is in the Rehearsal. A reader that can be closed is closed when ctx ends.
func (l *Loader) Rehearse(ctx context.Context, r io.Reader) (dump.Rehearsal, error) {
	var found dump.Rehearsal
	err := dump.Interruptible(ctx, r, func(ctx context.Context, fail context.CancelCauseFunc) (err error) {
		if found, err = load.Rehearse(ctx, l.cfg, archive.Items(r)); err != nil {
			fail(err)
		}
		return err
	})
	return found, err
}

// Reach connects to the server as a Load does, to the primary of a replica set, and ends the
// connection again. A *dump.NotReadyError says that it is worth waiting.
func (l *Loader) Reach(ctx context.Context) error {
	c, err := l.cfg.Server.ConnectPrimary(ctx)
	if err == nil {
		c.Close(ctx)
		return nil
	}
	if ctx.Err() == nil && server.IsNotReady(err) && !errors.As(err, new(*dump.NotReadyError)) {
		return &dump.NotReadyError{Err: err}
	}
	return err
}

// Wants tells whether a Load may need a part of an archive, by what its manifest says of that: the
// prelude always, the documents of what is selected, and the oplog where it is replayed.
func (l *Loader) Wants(p dump.Part) bool { return load.Wants(l.cfg, p) }
