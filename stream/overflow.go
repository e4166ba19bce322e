package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// overflowing is a produce that does not wait for its consumer for longer than Stall: what it
// writes from then on goes into a spool, and from there to the consumer once produce itself has
// returned.
func (o PipeOptions) overflowing(pw *io.PipeWriter, first *firstFailure, produce func(context.Context, io.Writer) error) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error {
		f := newOverflow(o)
		var passing sync.WaitGroup
		passing.Go(func() { f.pass(w) })
		f.spill = func(pr *io.PipeReader) {
			passing.Go(func() { f.fill(ctx, pr) })
		}
		err := f.end(produce(ctx, f))
		if err != nil {
			first.is(producing)                    // before the consumer can hear of it
			_ = pw.CloseWithError(&brokenOff{err}) // which ends pass, whatever the consumer does
		}
		passing.Wait()
		return f.handOver(w, err)
	}
}

// The stream passes the consumer's slowness by in buffers: while one is taken the other is filled.
const (
	overflowBuffers = 2
	overflowSize    = 256 << 10
)

// overflow is a producer's writer. Who waits for whom: Write waits for a spare buffer for no longer
// than Stall, and not once pass has failed; pass waits for the consumer, or for whoever closes the
// pipe; fill waits for Write and end, one of which comes.
type overflow struct {
	options PipeOptions

	full, spare chan []byte // each has room for all
	filling     []byte
	failed      chan struct{} // closed by pass, after failure is set
	failure     error

	spill    func(*io.PipeReader) // has fill run
	spilling *io.PipeWriter       // into the spool; nil: nothing is spilled
	filled   chan struct{}        // closed by fill, after the next two are set
	spool    *Spool
	fillErr  error
}

func newOverflow(o PipeOptions) *overflow {
	f := &overflow{options: o, full: make(chan []byte, overflowBuffers), spare: make(chan []byte, overflowBuffers), failed: make(chan struct{}), filled: make(chan struct{})}
	for range overflowBuffers {
		f.spare <- make([]byte, 0, overflowSize)
	}
	return f
}

// pass hands buffers to the consumer until there are no more, or it takes no more.
func (f *overflow) pass(w io.Writer) {
	for p := range f.full {
		if _, err := w.Write(p); err != nil {
			f.failure = err
			close(f.failed)
			return
		}
		f.spare <- p[:0]
	}
}

// fill puts what is spilled into a spool.
func (f *overflow) fill(ctx context.Context, pr *io.PipeReader) {
	defer close(f.filled)
	f.spool, f.fillErr = Fill(ctx, *f.options.Spill, func(_ context.Context, w io.Writer) error {
		_, err := io.Copy(w, pr)
		return err
	})
	_ = pr.CloseWithError(f.fillErr)
}

// Write takes what the producer writes. It keeps none of p.
func (f *overflow) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if f.filling == nil && f.spilling == nil {
			if err := f.next(); err != nil {
				return n, err
			}
		}
		if f.spilling != nil {
			select {
			case <-f.failed:
				return n, f.failure
			default:
			}
			m, err := f.spilling.Write(p)
			return n + m, err
		}
		m := min(len(p), cap(f.filling)-len(f.filling))
		f.filling = append(f.filling, p[:m]...)
		p, n = p[m:], n+m
		if len(f.filling) == cap(f.filling) {
			f.flush()
		}
	}
	return n, nil
}

func (f *overflow) flush() {
	f.full <- f.filling // it has room for all
	f.filling = nil
}

// next gets a buffer to fill, or begins to spill.
func (f *overflow) next() error {
	timer := time.NewTimer(f.options.Stall)
	defer timer.Stop()
	select {
	case f.filling = <-f.spare:
	case <-f.failed:
		return f.failure
	case <-timer.C:
		if f.options.Spilling != nil {
			f.options.Spilling()
		}
		var pr *io.PipeReader
		pr, f.spilling = io.Pipe()
		f.spill(pr)
	}
	return nil
}

// end comes when the producer has ended, with its error, before what it has written was all taken.
// It returns that error, or why not all of it can be.
func (f *overflow) end(err error) error {
	if len(f.filling) > 0 {
		f.flush()
	}
	close(f.full)
	if f.spilling == nil {
		return err
	}
	_ = f.spilling.CloseWithError(err) // nil: its end
	<-f.filled
	if f.fillErr != nil && (err == nil || errors.Is(err, f.fillErr)) {
		return fmt.Errorf("%w, and what was left could not be put aside: %w", &StallError{After: f.options.Stall}, f.fillErr)
	}
	return err
}

// handOver comes when pass and fill have returned. It has the consumer take what was spilled,
// unless there was an error.
func (f *overflow) handOver(w io.Writer, err error) error {
	if err == nil {
		err = f.failure
	}
	if f.spool == nil {
		return err
	}
	if err == nil {
		err = f.copySpool(w)
	}
	_ = f.spool.Remove() // a file that stays is CleanSpool's
	return err
}

func (f *overflow) copySpool(w io.Writer) error {
	r, err := f.spool.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return err
}
