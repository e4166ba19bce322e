// Package stream joins a producer of bytes and a consumer of them: in memory (Pipe), or over a file
// where the two cannot keep step (Spool). It knows neither databases nor restic; what it owns is
// that the end of a stream means success and nothing else does, that both sides have ended when a
// call returns, and that one cause of a failure is told, once.
package stream

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// ProduceError is a failure of the side that writes the stream.
type ProduceError struct{ Err error }

func (e *ProduceError) Error() string { return e.Err.Error() }
func (e *ProduceError) Unwrap() error { return e.Err }

// ConsumeError is a failure of the side that reads the stream.
type ConsumeError struct{ Err error }

func (e *ConsumeError) Error() string { return e.Err.Error() }
func (e *ConsumeError) Unwrap() error { return e.Err }

// ErrUnread is what a producer's Write returns when the consumer has returned nil before the end of
// the stream.
var ErrUnread = errors.New("the reader has ended before the stream did")

// Pipe is [PipeOptions.Pipe] of a stream that may stand still for as long as it likes.
func Pipe(ctx context.Context, produce func(context.Context, io.Writer) error, consume func(context.Context, io.Reader) error) (n int64, err error) {
	return PipeOptions{}.Pipe(ctx, produce, consume)
}

// PipeOptions say what becomes of a stream that stands still. The zero value lets it.
type PipeOptions struct {
	// Stall bounds how long a producer waits for the consumer to take the next bytes, and holds
	// meanwhile what it reads: then the stream ends, in a [*StallError]. 0: it waits without end.
	// With Spill it is the wait for a quarter of a MiB.
	Stall time.Duration

	// Spill has the stream not end then. What the producer has left goes into a spool, so that it
	// can finish and let go of what it reads, and from there to the consumer, once that takes bytes
	// again. The spool is gone when Pipe returns. Spilling is told when that begins. nil: the
	// stream ends.
	Spill    *SpoolOptions
	Spilling func()

	// Still is told who keeps a stream that has not moved for half a minute, and then each minute,
	// and for how long already. It is called from a goroutine of its own. nil: nobody is.
	Still func(side Side, since time.Duration)
}

// Pipe runs produce and consume at once; what the first writes, the second reads. Both have
// returned when Pipe returns. n is the number of bytes that passed.
//
// The reader of consume ends in io.EOF only once produce has returned nil; if produce fails, it
// ends in that error. If consume fails, so do the writes of produce. The context of both is
// cancelled as soon as one fails, and each must end when it is. The error is a [*ProduceError] or a
// [*ConsumeError], of the side that failed first; how the other then ended is not told.
//
// consume may close its reader (it has Close and CloseWithError) to end a produce before it itself
// returns.
func (o PipeOptions) Pipe(ctx context.Context, produce func(context.Context, io.Writer) error, consume func(context.Context, io.Reader) error) (n int64, err error) {
	pr, pw := io.Pipe()
	var first firstFailure
	motion := newMotion()
	w := &countingWriter{w: pw, motion: motion}
	r := &pipeReader{r: pr, first: &first, motion: motion}
	var stalled atomic.Pointer[StallError]
	stop := motion.watch(o, func(err *StallError) {
		stalled.Store(err)
		_ = r.CloseWithError(err)
	})
	defer stop()
	if o.Spill != nil && o.Stall > 0 {
		produce = o.overflowing(pw, &first, produce)
	}

	var produceErr, consumeErr error
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		produceErr = produce(ctx, w)
		if produceErr != nil {
			first.is(producing) // before consume can hear of it
			_ = pw.CloseWithError(&brokenOff{produceErr})
		} else {
			_ = pw.Close()
		}
		return produceErr
	})
	group.Go(func() error {
		consumeErr = consume(ctx, r)
		if consumeErr != nil {
			_ = r.CloseWithError(consumeErr)
		} else {
			_ = pr.CloseWithError(ErrUnread)
		}
		return consumeErr
	})
	_ = group.Wait() // the order in which they returned is not the order in which they failed

	switch stall := stalled.Load(); {
	case errors.Is(produceErr, ErrUnread):
		return w.n.Load(), &ConsumeError{ErrUnread}
	case stall != nil && errors.Is(produceErr, stall):
		return w.n.Load(), &ConsumeError{stall}
	case produceErr != nil && (consumeErr == nil || first.side() == producing):
		return w.n.Load(), &ProduceError{produceErr}
	case consumeErr != nil:
		return w.n.Load(), &ConsumeError{consumeErr}
	}
	return w.n.Load(), nil
}

// brokenOff is a producer's error as its consumer reads it. A lost connection often is an io.EOF:
// in the consumer's hands it would be the end of the stream, so it does not unwrap to that.
type brokenOff struct{ err error }

func (e *brokenOff) Error() string { return e.err.Error() }

func (e *brokenOff) Unwrap() error {
	if errors.Is(e.err, io.EOF) {
		return nil
	}
	return e.err
}

const (
	producing = 1 + iota
	consuming
)

// firstFailure remembers which side failed first.
type firstFailure struct{ v atomic.Int32 }

func (f *firstFailure) is(side int32) { f.v.CompareAndSwap(0, side) }
func (f *firstFailure) side() int32   { return f.v.Load() }

// pipeReader notes that its consumer has failed before the producer can hear of it.
type pipeReader struct {
	r      *io.PipeReader
	first  *firstFailure
	motion *motion
}

func (r *pipeReader) Read(p []byte) (int, error) {
	r.motion.wait(&r.motion.reading)
	n, err := r.r.Read(p)
	r.motion.move(&r.motion.reading, n)
	return n, err
}

func (r *pipeReader) Close() error { return r.CloseWithError(nil) }

func (r *pipeReader) CloseWithError(err error) error {
	r.first.is(consuming)
	return r.r.CloseWithError(err)
}

type countingWriter struct {
	w      io.Writer
	n      atomic.Int64
	motion *motion
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.motion.wait(&w.motion.writing)
	n, err := w.w.Write(p)
	w.motion.move(&w.motion.writing, n)
	w.n.Add(int64(n))
	return n, err
}
