package dump

import (
	"context"
	"io"
	"sync"
)

// Interruptible calls run, which reads r, and returns what that returns. run gets a context that
// ends with ctx, and a function by which it ends it, with a cause. Either end closes r, where r can
// be closed: whoever waits for what r would still bring gets an error instead, and finds the cause
// in the context, which had ended before. fail may be called at any time and more than once; the
// first cause counts. Interruptible returns when a Close under way has.
//
// Every Loader reads its dump in it: a load that fails while it waits for more of the dump has to
// come to its end, and so has whoever writes into the other end. What cannot be closed has to end
// by itself.
func Interruptible(ctx context.Context, r io.Reader, run func(ctx context.Context, fail context.CancelCauseFunc) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c, ok := r.(io.Closer)
	if !ok {
		return run(ctx, cancel)
	}
	var once sync.Once
	interrupt := func() { once.Do(func() { c.Close() }) } // who comes second waits for the first
	stop := context.AfterFunc(ctx, interrupt)
	defer func() {
		if !stop() {
			interrupt() // which waits for it
		}
	}()
	return run(ctx, func(cause error) {
		cancel(cause)
		interrupt()
	})
}
