package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// ErrTruncated is a spool whose end is missing.
var ErrTruncated = errors.New("the end is missing")

// The end mark is a frame that zstd skips: its magic number, its length, and in it the length of the stream. So
// `zstd -d` reads the file too.
const (
	endMagic = 0x184d2a5b
	endSize  = 4 + 4 + 8
)

func endMark(size int64) []byte {
	mark := binary.LittleEndian.AppendUint32(nil, endMagic)
	mark = binary.LittleEndian.AppendUint32(mark, 8)
	return binary.LittleEndian.AppendUint64(mark, uint64(size))
}

// Open returns a reader of the whole stream from its beginning. It ends in io.EOF only after every byte that was
// written; a file that is damaged or cut short is an error. The caller closes it. Several may be open at once.
func (s *Spool) Open() (io.ReadCloser, error) {
	file, err := os.Open(s.file.Name())
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	r, err := newSpoolReader(file)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("spool: %s: %w", s.file.Name(), err)
	}
	return r, nil
}

type spoolReader struct {
	file *os.File
	z    *zstd.Decoder
	left int64 // bytes of the stream that are still to come
}

func newSpoolReader(file *os.File) (*spoolReader, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < endSize {
		return nil, ErrTruncated
	}
	mark := make([]byte, endSize)
	if _, err := file.ReadAt(mark, info.Size()-endSize); err != nil {
		return nil, err
	}
	size := int64(binary.LittleEndian.Uint64(mark[endSize-8:]))
	if string(mark) != string(endMark(size)) {
		return nil, ErrTruncated
	}
	z, err := zstd.NewReader(io.LimitReader(file, info.Size()-endSize), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<20))
	if err != nil {
		return nil, err
	}
	return &spoolReader{file: file, z: z, left: size}, nil
}

func (r *spoolReader) Read(p []byte) (int, error) {
	n, err := r.z.Read(p)
	r.left -= int64(n)
	switch {
	case err == io.EOF && r.left != 0, err == io.ErrUnexpectedEOF, r.left < 0:
		return n, fmt.Errorf("spool: %s: %w", r.file.Name(), ErrTruncated)
	case err != nil && err != io.EOF:
		return n, fmt.Errorf("spool: %s: %w", r.file.Name(), err)
	}
	return n, err
}

func (r *spoolReader) Close() error {
	r.z.Close()
	return r.file.Close()
}
