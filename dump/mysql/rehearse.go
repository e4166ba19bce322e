package mysql

import (
	"context"
	"fmt"
	"io"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/items"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/load"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Rehearse reads a dump to its end and looks at what a Load of it would meet, and changes nothing.
// The error is of a dump that is not whole, or of a server that was not reached; what stands in a
// load's way is in the Rehearsal. As a load does before it drops tables, it locks them for a
// moment.
func (l *Loader) Rehearse(ctx context.Context, r io.Reader) (found dump.Rehearsal, err error) {
	err = dump.Interruptible(ctx, r, func(ctx context.Context, _ context.CancelCauseFunc) (err error) {
		found, err = load.Rehearse(ctx, l.cfg, items.ReadAny(r))
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return err
	})
	return found, err
}

// Reach connects to the server and ends the connection again. A *dump.NotReadyError says that it is
// worth waiting.
func (l *Loader) Reach(ctx context.Context) error {
	c, err := server.Connect(ctx, l.cfg.Driver)
	if err == nil {
		c.Close()
		return nil
	}
	err = fmt.Errorf("%s: %w", l.cfg.Server.Address(), err)
	if ctx.Err() == nil && server.MayComeUp(err) {
		return &dump.NotReadyError{Err: err}
	}
	return err
}
