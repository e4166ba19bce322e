package main

import (
	"context"
	"io"
)

// A read of a pipe into which nobody writes, or a write to one from which nobody reads, cannot be
// ended, nor can what a hung network file system keeps. So that a signal ends the program all the
// same, they are left behind, each in a goroutine of its own, which ends with the program at the
// latest.

const copySize = 256 << 10

// copyIn copies what open gives to w, until it ends or ctx does.
func copyIn(ctx context.Context, w io.Writer, open func() (io.ReadCloser, error)) error {
	pr, pw := io.Pipe()
	go func() {
		r, err := open()
		if err == nil {
			_, err = copyPlain(pw, r)
			_ = r.Close()
		}
		_ = pw.CloseWithError(err) // nil is the end
	}()
	defer context.AfterFunc(ctx, func() { _ = pr.CloseWithError(context.Cause(ctx)) })()
	defer pr.Close()
	_, err := copyPlain(w, pr)
	return err
}

// copyOut copies r to w until r ends or ctx does.
func copyOut(ctx context.Context, w io.Writer, r io.Reader) error {
	done := make(chan error, 1)
	go func() {
		_, err := copyPlain(w, r)
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// copyPlain copies in large pieces, whatever else r and w can do.
func copyPlain(w io.Writer, r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, copySize))
}
