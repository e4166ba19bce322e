package dump

import (
	"context"
	"io"
)

// Interruptible calls run, which reads r, with a function that ends the wait for what r would still
// bring: it closes r, where r can be closed, and may be called at any time and more than once. The
// end of ctx does the same. Interruptible returns what run does, when a Close under way has
// returned.
//
// Every Loader reads its dump in it: a load that fails while it waits for more of the dump has to
// come to its end, and so has whoever writes into the other end. What cannot be closed has to end
// by itself.
func Interruptible(ctx context.Context, r io.Reader, run func(interrupt func()) error) error {
	reading, interrupt := context.WithCancel(ctx)
	defer interrupt()
	defer closeWith(reading, r)()
	return run(interrupt)
}

// closeWith closes r, where it can be closed, as soon as ctx is cancelled. The caller calls release
// when it no longer reads; that waits for a Close under way.
func closeWith(ctx context.Context, r io.Reader) (release func()) {
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
