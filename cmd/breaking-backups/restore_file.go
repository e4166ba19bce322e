package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/breaking-backups/breaking-backups/dump"
)

// fileSource is a file as a dump. One of which any byte can be had is opened once: its manifest,
// what is read of it before anything is changed, and what is loaded then are of the same file,
// whatever is put in its place meanwhile.
func fileSource(ctx context.Context, name string) (dumpSource, error) {
	info, err := leavable(ctx, func() (os.FileInfo, error) { return os.Stat(name) })
	if ctx.Err() != nil {
		return dumpSource{}, context.Cause(ctx)
	}
	if err != nil || !info.Mode().IsRegular() {
		return dumpSource{produce: func(ctx context.Context, w io.Writer) error {
			return copyIn(ctx, w, func() (io.ReadCloser, error) { return os.Open(name) })
		}}, nil // the error is that of reading it
	}
	file, err := leavable(ctx, func() (*os.File, error) { return os.Open(name) })
	if err != nil {
		return dumpSource{}, err
	}
	if info, err = leavable(ctx, file.Stat); err != nil {
		file.Close()
		return dumpSource{}, err
	}
	unchanged := func() error {
		now, err := file.Stat()
		if err == nil && (now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime())) {
			err = fmt.Errorf("%s: it was written into since it was first read", name)
		}
		return err
	}
	return dumpSource{
		bytes: info.Size(),
		produce: func(ctx context.Context, w io.Writer) error {
			return copyIn(ctx, w, func() (io.ReadCloser, error) {
				return io.NopCloser(io.NewSectionReader(file, 0, info.Size())), unchanged()
			})
		},
		open: func(ctx context.Context) (placed, error) {
			end := readerAt(func(p []byte, at int64) (int, error) { return readLeavably(ctx, file, p, at) })
			return placed{end: end, size: info.Size(), spans: func(ctx context.Context, w io.Writer, of []dump.Span) error {
				if _, err := leavable(ctx, func() (struct{}, error) { return struct{}{}, unchanged() }); err != nil {
					return err
				}
				from := readerAt(func(p []byte, at int64) (int, error) { return readLeavably(ctx, file, p, at) })
				return dump.SpansOf(from)(ctx, w, of)
			}}, nil
		},
		file: file,
	}, nil
}

// close is for the end of a restore.
func (d dumpSource) close() {
	if d.file != nil {
		d.file.Close()
	}
}

// leavable is what f returns, or the cause for which ctx ended before that. A hung network file
// system keeps whoever asks it for a file's state, opens the file or reads it, and nothing ends
// that wait. So f is left behind then, in a goroutine that ends with the program at the latest: ctx
// ends because the program is to, or because the restore has failed, after which it ends too.
func leavable[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// readLeavably reads so into a buffer of its own: what is left behind may still write into that.
func readLeavably(ctx context.Context, r io.ReaderAt, p []byte, at int64) (int, error) {
	read, err := leavable(ctx, func() ([]byte, error) {
		own := make([]byte, len(p))
		n, err := r.ReadAt(own, at)
		return own[:n], err
	})
	return copy(p, read), err
}

// readerAt is a function as an io.ReaderAt.
type readerAt func(p []byte, at int64) (int, error)

func (f readerAt) ReadAt(p []byte, at int64) (int, error) { return f(p, at) }
