package process

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
)

// output passes on what restic writes on its standard output, and notes while somebody takes it.
type output struct {
	w       io.Writer
	handing atomic.Bool
}

func (o *output) Write(p []byte) (int, error) {
	o.handing.Store(true)
	defer o.handing.Store(false)
	return o.w.Write(p)
}

// copy passes on all that there is. If nobody takes it any more, end is told why, and the rest is
// dropped.
func (o *output) copy(ctx context.Context, stdout io.Reader, end context.CancelCauseFunc) error {
	_, err := io.Copy(o, stdout)
	if ctx.Err() != nil && errors.Is(err, os.ErrClosed) {
		// os/exec closes the pipe when it kills a restic that has not reacted for WaitDelay: a
		// consequence, not a cause.
		err = nil
	}
	if err != nil {
		end(err)
		// restic may be stuck writing to us: it notices the interrupt only when that ends.
		_, _ = io.Copy(io.Discard, stdout)
	}
	return err
}
