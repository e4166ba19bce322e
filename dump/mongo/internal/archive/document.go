package archive

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// Document returns the block's next document, which is valid until the next call. At the end of the
// block the error is io.EOF.
func (a *Reader) Document() ([]byte, error) { return a.documents(0) }

// Documents returns the block's next documents, one behind the other, which are valid until the
// next call: some hundred kilobytes of them, or one that is larger. Behind the first it waits for
// no more of the stream. At the end of the block the error is io.EOF.
func (a *Reader) Documents() ([]byte, error) { return a.documents(blockSize) }

// blockSize is how many bytes of documents are read at once.
const blockSize = 256 << 10

// documents returns the next document, and those behind it as far as they have come already and all
// of them have no more bytes than most.
func (a *Reader) documents(most int) ([]byte, error) {
	if a.err != nil {
		return nil, a.err
	}
	if a.block == nil {
		return nil, io.EOF
	}
	a.buf = a.buf[:0]
	for n := 0; len(a.buf) == 0 || a.fits(most); n = len(a.buf) {
		more, err := a.append(maxDocument)
		if err == nil && more {
			err = a.block.count(a.buf[n:])
		}
		if err != nil {
			a.err = fmt.Errorf("%s: %w", shown.Whole(a.block.Namespace()), err)
			return nil, a.err
		}
		if !more {
			if a.block = nil; n == 0 {
				return nil, io.EOF
			}
			break
		}
	}
	return a.buf, nil
}

// fits tells whether the next item has come already, and has room behind what was read.
func (a *Reader) fits(most int) bool {
	const size = 4
	if len(a.buf) >= most || a.r.Buffered() < size {
		return false
	}
	head, _ := a.r.Peek(size) // it is there
	n := binary.LittleEndian.Uint32(head)
	return n == terminator || int64(n) <= int64(min(a.r.Buffered(), most-len(a.buf)))
}

// item reads a document of no more bytes than most, or nil for a terminator.
func (a *Reader) item(most int) ([]byte, error) {
	a.buf = a.buf[:0]
	more, err := a.append(most)
	if err != nil || !more {
		return nil, err
	}
	return a.buf, nil
}

// append reads a document of no more bytes than most behind what is in the buffer, or false for a
// terminator.
func (a *Reader) append(most int) (bool, error) {
	var size [4]byte
	if _, err := io.ReadFull(a.r, size[:]); err != nil {
		return false, cut(err)
	}
	a.at += int64(len(size))
	n := binary.LittleEndian.Uint32(size[:])
	if n == terminator {
		return false, nil
	}
	if n < minDocument || int64(n) > int64(most) {
		return false, damaged("%d is no length of a document", n)
	}
	// A length that was damaged is not to be believed before the bytes are there.
	const step = 1 << 20
	a.buf = append(a.buf, size[:]...)
	for end := len(a.buf) - len(size) + int(n); len(a.buf) < end; {
		from, to := len(a.buf), min(end, len(a.buf)+step)
		if cap(a.buf) < to {
			grown := make([]byte, from, max(to, min(end, 2*cap(a.buf))))
			copy(grown, a.buf)
			a.buf = grown
		}
		a.buf = a.buf[:to]
		if _, err := io.ReadFull(a.r, a.buf[from:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return false, cut(err)
		}
		a.at += int64(to - from)
	}
	if a.buf[len(a.buf)-1] != 0 {
		return false, damaged("a document does not end in a zero")
	}
	return true, nil
}

// discard passes over bytes that were peeked at.
func (a *Reader) discard(peeked []byte) {
	n, _ := a.r.Discard(len(peeked)) // they are there
	a.at += int64(n)
}
