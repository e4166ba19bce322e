package mysql

import (
	"context"
	"errors"
	"io"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Rehearse reads a dump to its end and looks at what a Load of it would meet, and changes nothing.
// The error is of a dump that is not whole, or of a server that was not reached; what stands in a
// load's way is in the Rehearsal.
func (l *Loader) Rehearse(ctx context.Context, r io.Reader) (dump.Rehearsal, error) {
	return dump.Rehearsal{}, errors.New("to come")
}

// Reach connects to the server and ends the connection again. A *dump.NotReadyError says that it is
// worth waiting.
func (l *Loader) Reach(ctx context.Context) error {
	return errors.New("to come")
}
