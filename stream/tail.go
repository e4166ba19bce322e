package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A compressed stream can have a tail: a frame that zstd skips, before the mark at its end, with
// what its producer says of it. It is found from the end, as its length stands behind it.

// ErrNoTail is returned for a stream that has none.
var ErrNoTail = errors.New("the compressed stream says nothing of itself at its end")

const (
	frameHead = 4 + 4 // of a frame that is skipped: magic number and length
	tailFoot  = 4     // the text's length once more

	// maxTail bounds what ReadTail holds, whatever length a stream states: the manifest of a
	// million tables takes less.
	maxTail = 512 << 20
)

func tail(text []byte) []byte {
	return mark(tailMagic, binary.LittleEndian.AppendUint32(text[:len(text):len(text)], uint32(len(text))))
}

// ReadTail returns what stands behind a stream of so many bytes that [Compress] has written with a
// Tail. It reads nothing else. The error is [ErrNoTail] where there is none, and [ErrTruncated]
// where the stream's end is missing.
func ReadTail(r io.ReaderAt, size int64) ([]byte, error) {
	foot := make([]byte, tailFoot+endSize)
	begin := size - int64(len(foot))
	if begin < 0 {
		return nil, ErrTruncated
	}
	if err := readAt(r, foot, begin); err != nil {
		return nil, err
	}
	if end := foot[tailFoot:]; string(end[:frameHead]) != string(endMark(0)[:frameHead]) {
		return nil, ErrTruncated
	}
	length := int64(binary.LittleEndian.Uint32(foot))
	frame := make([]byte, min(frameHead, begin))
	if length > min(begin-frameHead, maxTail) {
		return nil, ErrNoTail
	}
	if err := readAt(r, frame, begin-length-frameHead); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(frame) != tailMagic || int64(binary.LittleEndian.Uint32(frame[4:])) != length+tailFoot {
		return nil, ErrNoTail
	}
	text := make([]byte, length)
	return text, readAt(r, text, begin-length)
}

func readAt(r io.ReaderAt, p []byte, at int64) error {
	if n, err := r.ReadAt(p, at); n < len(p) {
		return fmt.Errorf("read the end of the compressed stream: %w", err)
	}
	return nil
}

// frames are the lengths of a stream's frames: 8 bytes for 256 KiB, which is 32 MiB for a terabyte.
type frames []struct{ raw, packed uint32 }

func (f *frames) add(raw, packed int) {
	*f = append(*f, struct{ raw, packed uint32 }{uint32(raw), uint32(packed)})
}

// locator returns what tells of bytes of the stream, in their order, in which frame they are; of
// bytes behind the last one, where that ends.
func (f frames) locator() func(at int64) (begins, first int64) {
	var begins, first int64
	next := 0
	return func(at int64) (int64, int64) {
		for next < len(f) && at >= first+int64(f[next].raw) {
			begins += int64(f[next].packed)
			first += int64(f[next].raw)
			next++
		}
		return begins, first
	}
}
