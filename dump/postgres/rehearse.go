package postgres

import (
	"context"
	"io"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/load"
)

// Rehearse reads a dump to its end and looks at what a Load of it would meet, and changes nothing.
// The error is of a dump that is not whole, or of a server that was not reached; what stands in a
// load's way is in the Rehearsal. What the dump says of owners and privileges counts only where the
// load would say it too.
//
// A reader that can be closed is closed when ctx ends, as by Load.
func (l *Loader) Rehearse(ctx context.Context, r io.Reader) (rehearsal dump.Rehearsal, err error) {
	err = dump.Interruptible(ctx, r, func(ctx context.Context, _ context.CancelCauseFunc) error {
		cfg, items := l.items(r)
		rehearsal, err = load.Rehearse(ctx, cfg, items)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	})
	return rehearsal, err
}

// Reach connects to the server and ends the connection again. A *dump.NotReadyError says that it is
// worth waiting.
func (l *Loader) Reach(ctx context.Context) error { return load.Reach(ctx, l.cfg) }
