package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
)

var (
	errDump    = errors.New("server closed the connection")
	errStorage = errors.New("storage full")
)

// write is a producer of n times ten bytes, then of err.
func write(n int, err error) func(context.Context, io.Writer) error {
	return func(_ context.Context, w io.Writer) error {
		for range n {
			if _, err := io.WriteString(w, "0123456789"); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
		return err
	}
}

// read is a consumer of n bytes, or of all if n is negative, that then returns err.
func read(n int64, err error) func(context.Context, io.Reader) error {
	return func(_ context.Context, r io.Reader) error {
		if n >= 0 {
			r = io.LimitReader(r, n)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return fmt.Errorf("read: %w", err)
		}
		return err
	}
}

func waitForCancel(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestPipe(t *testing.T) {
	for _, test := range []struct {
		name    string
		produce func(context.Context, io.Writer) error
		consume func(context.Context, io.Reader) error
		want    string
		n       int64
	}{
		{"whole", write(3, nil), read(-1, nil), "", 30},
		{"empty", write(0, nil), read(-1, nil), "", 0},
		{"producer fails", write(3, errDump), read(-1, nil), "produce: server closed the connection", 30},
		{"producer fails at once", write(0, errDump), read(-1, nil), "produce: server closed the connection", 0},
		{"consumer fails midway", write(10, nil), read(15, errStorage), "consume: storage full", 15},
		{"consumer fails at once", write(10, nil), read(0, errStorage), "consume: storage full", 0},
		{"consumer fails at the end", write(3, nil), read(-1, errStorage), "consume: storage full", 30},
		{"consumer ends too early", write(10, nil), read(10, nil), "consume: " + ErrUnread.Error(), 10},
		{"consumer stops at the last byte", write(1, nil), read(10, nil), "", 10},
		{"producer fails behind the last byte read", write(1, errDump), read(10, nil), "produce: server closed the connection", 10},
		{
			"consumer fails while the producer is silent",
			func(ctx context.Context, _ io.Writer) error { return waitForCancel(ctx) },
			read(0, errStorage), "consume: storage full", 0,
		},
		{
			"producer fails while the consumer is deaf", write(0, errDump),
			func(ctx context.Context, _ io.Reader) error { return waitForCancel(ctx) },
			"produce: server closed the connection", 0,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, err := Pipe(t.Context(), test.produce, test.consume)
			if got := describe(err); got != test.want || n != test.n {
				t.Errorf("%d bytes, %q; want %d, %q", n, got, test.n, test.want)
			}
		})
	}
}

// A consumer may have to end the writer before it can return itself; it has failed first all the
// same.
func TestPipeConsumerClosesReader(t *testing.T) {
	produced := make(chan struct{})
	_, err := Pipe(t.Context(),
		func(ctx context.Context, w io.Writer) error {
			defer close(produced)
			return write(10, nil)(ctx, w)
		},
		func(_ context.Context, r io.Reader) error {
			_ = r.(interface{ CloseWithError(error) error }).CloseWithError(errStorage)
			<-produced
			return errStorage
		})
	if got := describe(err); got != "consume: storage full" {
		t.Error(got)
	}
}

func TestPipeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Pipe(ctx,
		func(ctx context.Context, w io.Writer) error {
			if err := write(3, nil)(ctx, w); err != nil {
				return err
			}
			cancel()
			return waitForCancel(ctx)
		},
		func(_ context.Context, r io.Reader) error {
			n, err := io.Copy(io.Discard, r)
			if n != 30 || !errors.Is(err, context.Canceled) {
				t.Errorf("the consumer read %d bytes and %v", n, err)
			}
			return err
		})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Nothing but a producer's nil is an end of file to the consumer.
func TestPipeEndOfFile(t *testing.T) {
	for _, produceErr := range []error{nil, errDump, io.EOF, fmt.Errorf("receive: %w", io.EOF), io.ErrUnexpectedEOF, io.ErrClosedPipe} {
		var got error
		_, err := Pipe(t.Context(), write(1, produceErr), func(_ context.Context, r io.Reader) error {
			if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
				t.Error(err)
			}
			_, got = r.Read(make([]byte, 1))
			return nil
		})
		if ended := errors.Is(got, io.EOF); ended != (produceErr == nil) || !errors.Is(err, produceErr) {
			t.Errorf("produce returned %v: the consumer read %v, Pipe returned %v", produceErr, got, err)
		}
	}
}

// describe names the side of an error.
func describe(err error) string {
	var produce *ProduceError
	var consume *ConsumeError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &produce):
		return "produce: " + err.Error()
	case errors.As(err, &consume):
		return "consume: " + err.Error()
	}
	return err.Error()
}
