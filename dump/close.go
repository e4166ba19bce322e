package dump

import (
	"context"
	"io"
)

// CloseWith closes r, where it can be closed, as soon as ctx is cancelled: whoever waits for what r
// would still bring gets an error instead. The caller calls release when it no longer reads; that
// waits for a Close under way.
func CloseWith(ctx context.Context, r io.Reader) (release func()) {
	c, ok := r.(io.Closer)
	if !ok {
		return func() {}
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.Close()
		close(closed)
	})
	return func() {
		if !stop() {
			<-closed
		}
	}
}
