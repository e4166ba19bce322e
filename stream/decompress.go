package stream

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// ErrTruncated is a compressed stream whose end is missing.
var ErrTruncated = errors.New("the end is missing")

// Compressed reports whether a stream that begins like this, with 4 bytes or more, is for
// [Decompress].
func Compressed(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	magic := binary.LittleEndian.Uint32(head)
	return magic == 0xfd2fb528 || magic&^0xf == 0x184d2a50
}

// Decompress returns a reader of the stream that was given to [Compress], or that another program
// has compressed with zstd. It takes memory for one frame's window, which is 512 KiB in ours and at
// most 128 MiB in another's. Whoever calls it closes the reader; r stays open.
//
// Damage is an error, and so is a stream of ours without its end: [ErrTruncated]. Another's has
// nothing that would tell when it was cut between two frames.
func Decompress(r io.Reader) (io.ReadCloser, error) {
	d, err := newDecompressor(r)
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return d, nil
}

func newDecompressor(r io.Reader) (*decompressor, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	head, err := buffered.Peek(len(startMark()))
	if err != nil && err != io.EOF {
		return nil, err
	}
	in := &tailReader{r: buffered}
	z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
	if err != nil {
		return nil, err
	}
	return &decompressor{in: in, z: z, marked: bytes.Equal(head, startMark())}, nil
}

type decompressor struct {
	in     *tailReader
	z      *zstd.Decoder
	marked bool  // as ours: it has an end
	n      int64 // bytes given out
}

func (d *decompressor) Read(p []byte) (int, error) {
	n, err := d.z.Read(p)
	d.n += int64(n)
	switch {
	case err == io.EOF && d.marked && !bytes.Equal(d.in.tail, endMark(d.n)), err == io.ErrUnexpectedEOF:
		return n, ErrTruncated
	case err != nil && err != io.EOF:
		return n, fmt.Errorf("decompress: %w", err)
	}
	return n, err
}

func (d *decompressor) Close() error {
	d.z.Close()
	return nil
}

// tailReader remembers the last bytes that have passed, as many as an end mark has.
type tailReader struct {
	r    io.Reader
	tail []byte
}

func (t *tailReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n >= endSize {
		t.tail = append(t.tail[:0], p[n-endSize:n]...)
	} else {
		t.tail = append(t.tail, p[:n]...)
		t.tail = append(t.tail[:0], t.tail[max(0, len(t.tail)-endSize):]...)
	}
	return n, err
}
