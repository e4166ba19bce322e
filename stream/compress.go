package stream

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// CompressOptions say how a stream is compressed.
type CompressOptions struct {
	Level       int // as zstd counts, 1 to 22; 0: 3
	Concurrency int // frames that are compressed at once; 0: one a processor, at most 4. The output does not depend on it.
	// Tail returns what is to be said of the stream behind it, see [ReadTail], when all of it is
	// written. For bytes of the stream, uncompressed and in their order, frame tells where in the
	// output the frame begins that has it, and which byte is that frame's first. nil: nothing.
	Tail func(frame func(at int64) (begins, first int64)) []byte
}

// A compressed stream is a row of zstd frames, each of which has its length and a checksum, between
// two marks: frames that zstd skips, so that `zstd -d` reads the whole. Each frame by itself looks
// complete; that the stream is, only the mark at its end says.

// Compress runs produce and writes to w, compressed, what it writes; n is how many bytes that was.
// The stream is cut into frames where its content says, 256 KiB on average, each of which is
// compressed by itself: a change in the data changes the output near it and nowhere else. The
// output is the same whatever the sizes of the writes and the number of processors, but another
// level or version of the compressor may give other bytes.
//
// The end of the stream is written when produce has returned nil and everything before it is
// written, and only then. The error is what failed first, of produce or of w; produce's context is
// cancelled when it is w.
func Compress(ctx context.Context, w io.Writer, options CompressOptions, produce func(context.Context, io.Writer) error) (n int64, err error) {
	level := cmp.Or(options.Level, 3)
	if level < 1 || level > 22 {
		return 0, fmt.Errorf("compress: level %d, expected 1 to 22", level)
	}
	workers := cmp.Or(options.Concurrency, min(runtime.GOMAXPROCS(0), 4))
	compressor, err := newCompressor(level, workers)
	if err != nil {
		return 0, fmt.Errorf("compress: %w", err)
	}

	group, ctx := errgroup.WithContext(ctx)
	f := &framer{ctx: ctx, free: make(chan *frame, workers+2), full: make(chan *frame, workers+2), order: make(chan *frame, workers+2)}
	for range cap(f.free) {
		f.free <- &frame{raw: make([]byte, 0, maxFrame), done: make(chan struct{}, 1)}
	}
	group.Go(func() error {
		defer close(f.full)
		defer close(f.order)
		if err := produce(ctx, f); err != nil {
			return err
		}
		return f.end()
	})
	for range workers {
		group.Go(func() error {
			for frame := range f.full {
				frame.packed = compressor.compress(frame.packed, frame.raw)
				if endsAtBoundary(frame.raw) {
					frame.packed = append(frame.packed, boundary...)
				}
				frame.done <- struct{}{}
			}
			return nil
		})
	}
	group.Go(func() error {
		for frame := range f.order {
			<-frame.done
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if _, err := w.Write(frame.packed); err != nil {
				return err
			}
			if options.Tail != nil {
				f.frames.add(len(frame.raw), len(frame.packed))
			}
			frame.raw, frame.packed = frame.raw[:0], frame.packed[:0]
			f.free <- frame
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return f.n, err
	}
	end := endMark(f.n)
	if options.Tail != nil {
		end = append(tail(options.Tail(f.frames.locator())), end...)
	}
	if f.n == 0 {
		end = append(startMark(), end...)
	}
	_, err = w.Write(end)
	return f.n, err
}

// A frame is a part of the stream on its way. There are few, which go round.
type frame struct {
	raw    []byte
	packed []byte
	done   chan struct{} // has one when raw is packed
}

// framer is the writer that cuts. Its channels have room for every frame there is, so that only
// taking one can block.
type framer struct {
	ctx     context.Context
	free    chan *frame
	full    chan *frame // to be compressed, by any
	order   chan *frame // the same, in the order of the stream
	current *frame      // nil: to be taken from free
	cutter  cutter
	n       int64
	frames  frames // that are written
}

func (f *framer) Write(p []byte) (written int, err error) {
	for len(p) > 0 {
		if f.current == nil {
			if err := f.take(); err != nil {
				return written, err
			}
		}
		n, end := f.cutter.next(p)
		f.current.raw = append(f.current.raw, p[:n]...)
		p = p[n:]
		f.n += int64(n)
		written += n
		if end {
			f.cut()
		}
	}
	return written, nil
}

func (f *framer) take() error {
	select {
	case f.current = <-f.free:
	case <-f.ctx.Done():
		return context.Cause(f.ctx)
	}
	if f.n == 0 {
		f.current.packed = startMark()
	}
	return nil
}

// cut ends the current frame, if there is one.
func (f *framer) cut() {
	if f.current != nil {
		f.order <- f.current
		f.full <- f.current
		f.current = nil
	}
}

// lastSize is how much the last frame has at most. What sums a stream up stands at its end and
// changes with anything in it; behind a boundary it takes little with it.
const lastSize = 4 << 10

// end cuts for the last time.
func (f *framer) end() error {
	if f.current == nil {
		return nil
	}
	if before := len(f.current.raw) - lastSize; before > 0 {
		last := slices.Clone(f.current.raw[before:]) // the frame goes round
		f.current.raw = f.current.raw[:before]
		f.cut()
		if err := f.take(); err != nil {
			return err
		}
		f.current.raw = append(f.current.raw, last...)
	}
	f.current.packed = append(f.current.packed, boundary...)
	f.cut()
	return nil
}
