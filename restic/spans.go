package restic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sort"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// A Span is a stretch of a file: its first byte, counted from 0, and how many there are.
type Span = struct{ First, Bytes int64 }

// catsAtOnce is how many restics read a blob at once. Each takes 75 MB for that, half of them for
// the key, and one that writes a whole file 180 MB. Over a distance each mostly waits.
var catsAtOnce = max(2, min(4, runtime.GOMAXPROCS(0)))

// catCosts is how many bytes of a file a restic writes in the time that it takes one to start and
// to open the repository, with another at it. Where this was measured, that was 3 MB over a line of
// 100 Mbit/s, and from a local disk 50 MB, by what the key costs. It is chosen for the line, where
// a restore takes long.
const catCosts = 8 << 20

// Copy writes spans of the file to w, one behind the other. They are in the file's order, and none
// overlaps another. What was written is all of them only if the error is nil. An error of w is
// wrapped.
//
// A run of restic either writes the file from its beginning or gives one blob. So the first spans
// come from one that writes all up to the last of them, of which what is between is passed over,
// and the others from as many as they have blobs; how many are the first is what costs less.
func (f *File) Copy(ctx context.Context, w io.Writer, spans []Span) error {
	var end int64
	for _, s := range spans {
		if s.First < end || s.Bytes <= 0 || s.Bytes > f.Size-s.First {
			return fmt.Errorf("dump: bytes %d to %d are asked for of a file of %d, behind byte %d", s.First, s.First+s.Bytes, f.Size, end)
		}
		end = s.First + s.Bytes
	}
	dumped, cats, err := f.plan(ctx, spans, end)
	if err != nil {
		return err
	}
	if err := f.dumpSpans(ctx, w, spans[:dumped]); err != nil {
		return err
	}
	return f.catPieces(ctx, w, cats)
}

// plan says how many of the spans are read by one restic that writes the file from its beginning,
// and which pieces of blobs the others are. Where the lengths of blobs would cost more than to read
// up to byte end, the last one of all, nobody asks for them, and where they are not to be had, that
// is what is done.
func (f *File) plan(ctx context.Context, spans []Span, end int64) (dumped int, cats []piece, err error) {
	const least = 4 // runs: for the lengths one at least, and a list of those; and a blob for each end of a span
	if end <= least*catCosts {
		return len(spans), nil, nil
	}
	ends, err := f.ends(ctx, func(indexes int) bool { return end > int64(indexes+least)*catCosts })
	if err != nil && ctx.Err() != nil {
		return 0, nil, err
	}
	if err != nil || ends == nil { // a prune puts other indexes in their place, say, and a dump keeps it out
		return len(spans), nil, nil
	}
	pieces := cutSpans(spans, ends)
	best := catCosts + end
	dumped = len(spans)
	var cost int64 // of the pieces from i on, by cats
	for i := len(pieces) - 1; i >= 0; i-- {
		p := pieces[i]
		cost += p.to - p.from
		if i == len(pieces)-1 || p.blob != pieces[i+1].blob {
			cost += catCosts
		}
		if i > 0 && pieces[i-1].span == p.span {
			continue
		}
		all := cost // where the spans before are dumped
		if p.span > 0 {
			before := spans[p.span-1]
			all += catCosts + before.First + before.Bytes
		}
		if all <= best { // to write a file, restic reads ahead
			best, dumped, cats = all, p.span, pieces[i:]
		}
	}
	return dumped, cats, nil
}

// A piece is what a span has of a blob.
type piece struct {
	span, blob int
	from, to   int64 // within the blob
	whole      int64 // how long the blob is
}

// cutSpans returns the pieces of spans, where ends are those of the file's blobs.
func cutSpans(spans []Span, ends []int64) []piece {
	var pieces []piece
	for i, s := range spans {
		end := s.First + s.Bytes
		for at := s.First; at < end; {
			blob := sort.Search(len(ends), func(b int) bool { return ends[b] > at })
			var first int64
			if blob > 0 {
				first = ends[blob-1]
			}
			to := min(ends[blob], end)
			pieces = append(pieces, piece{span: i, blob: blob, from: at - first, to: to - first, whole: ends[blob] - first})
			at = to
		}
	}
	return pieces
}

// errEnough ends a restic that has written all that was wanted.
var errEnough = errors.New("restic has written what was wanted")

// dumpSpans writes spans from a restic that writes the file from its beginning, and ends it behind
// the last of them. One that can only be killed would leave its lock, so it takes none.
func (f *File) dumpSpans(ctx context.Context, w io.Writer, spans []Span) error {
	if len(spans) == 0 {
		return nil
	}
	win := &window{w: w, spans: spans, size: f.Size}
	client := *f.client
	client.Said = func(line string) {
		if f.client.Said != nil && !win.enough.Load() { // what restic says when it is ended on purpose is nobody's
			f.client.Said(line)
		}
	}
	err := client.dump(ctx, f.snapshot, f.path, win, process.OnlyKills)
	switch {
	case len(win.spans) == 0 && (err == nil || errors.Is(err, errEnough)):
		return nil
	case err == nil:
		return fmt.Errorf("dump: %s ends at byte %d: %w", f.path, win.at, io.ErrUnexpectedEOF)
	}
	return err
}

// A window passes on spans of a file that is written to it, and ends with errEnough behind the last
// one, unless that is the end of the file.
type window struct {
	w        io.Writer
	spans    []Span // that have not all passed
	at, size int64  // of the file
	enough   atomic.Bool
}

func (v *window) Write(p []byte) (int, error) {
	n := len(p)
	for len(v.spans) > 0 {
		s := v.spans[0]
		from := min(max(s.First-v.at, 0), int64(len(p)))
		to := min(s.First+s.Bytes-v.at, int64(len(p)))
		if from < to {
			if _, err := v.w.Write(p[from:to]); err != nil {
				return 0, err
			}
		}
		if v.at+to < s.First+s.Bytes {
			break
		}
		v.spans = v.spans[1:]
	}
	v.at += int64(n)
	if len(v.spans) == 0 && v.at < v.size {
		v.enough.Store(true)
		return n, errEnough
	}
	return n, nil
}

// catPieces writes pieces of blobs in their order, some of which are read ahead.
func (f *File) catPieces(ctx context.Context, w io.Writer, pieces []piece) error {
	g, ctx := errgroup.WithContext(ctx)
	ahead := make(chan chan answer, catsAtOnce-1) // the one more is that which is waited for
	g.Go(func() error {
		defer close(ahead)
		for i, p := range pieces {
			if i > 0 && p.blob == pieces[i-1].blob {
				continue
			}
			read := make(chan answer, 1)
			select {
			case ahead <- read:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			g.Go(func() error {
				blob, err := f.blob(ctx, f.blobs[p.blob])
				read <- answer{blob, err}
				return err
			})
		}
		return nil
	})
	g.Go(func() error { return writePieces(ctx, w, pieces, ahead) })
	return g.Wait()
}

// An answer is a blob, or why there is none.
type answer struct {
	blob []byte
	err  error
}

// writePieces writes pieces of the blobs that come ahead, in their order.
func writePieces(ctx context.Context, w io.Writer, pieces []piece, ahead <-chan chan answer) error {
	var blob []byte
	for i, p := range pieces {
		if i == 0 || p.blob != pieces[i-1].blob {
			read, ok := <-ahead
			if !ok {
				return context.Cause(ctx)
			}
			came := <-read
			if came.err != nil {
				return came.err
			}
			blob = came.blob
		}
		if int64(len(blob)) != p.whole { // then no place in the file is where it seems to be
			return fmt.Errorf("cat blob: %d bytes came where the index says that there are %d", len(blob), p.whole)
		}
		if _, err := w.Write(blob[p.from:p.to]); err != nil {
			return fmt.Errorf("cat blob: %w", err)
		}
	}
	return nil
}
