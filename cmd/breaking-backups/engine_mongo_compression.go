package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo"
	"github.com/breaking-backups/breaking-backups/stream"
)

// mongoSource compresses what it dumps.
type mongoSource struct {
	*mongo.Source
	options  *stream.CompressOptions // nil: not at all
	contents *dump.Contents          // of the last dump that was whole
}

func (s mongoSource) Dump(ctx context.Context, w io.Writer) error {
	if s.options == nil {
		return s.Source.Dump(ctx, w)
	}
	options := *s.options
	options.Tail = func(frame func(int64) (int64, int64)) []byte {
		s.contents.Parts.Locate(frame)
		return s.contents.Encode()
	}
	_, err := stream.Compress(ctx, w, options, s.Source.Dump)
	return err
}

// mongoLoader loads dumps that are compressed, mongodump's too, and those that are not.
type mongoLoader struct{ *mongo.Loader }

func (l mongoLoader) Load(ctx context.Context, r io.Reader) error {
	return unpacked(r, func(r io.Reader) error { return l.Loader.Load(ctx, r) })
}

func (l mongoLoader) Verify(r io.Reader) error { return unpacked(r, l.Loader.Verify) }

func (l mongoLoader) Rehearse(ctx context.Context, r io.Reader) (found dump.Rehearsal, err error) {
	err = unpacked(r, func(r io.Reader) (err error) {
		found, err = l.Loader.Rehearse(ctx, r)
		return err
	})
	return found, err
}

// unpacked has use read what r holds, which may be compressed by zstd or, as mongodump does it, by
// gzip.
func unpacked(r io.Reader, use func(io.Reader) error) (err error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	head, err := buffered.Peek(4)
	if err != nil && err != io.EOF {
		return err
	}
	var z io.ReadCloser
	switch {
	case stream.Compressed(head):
		z, err = stream.Decompress(buffered)
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		z, err = gzip.NewReader(buffered)
	default:
		return use(buffered)
	}
	if err != nil {
		return fmt.Errorf("decompress: %w", err)
	}
	defer z.Close()
	return use(z)
}
