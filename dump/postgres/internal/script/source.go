package script

import (
	"bytes"
	"fmt"
	"io"
)

const (
	bufferSize = 256 << 10
	keepSize   = 1 << 20 // larger slices are not kept for the next statement
)

// A source is a buffered input, read by lines and, for the rows of a COPY, as it comes.
type source struct {
	r        io.Reader
	buf      []byte
	pos, end int    // buf[pos:end] is read and not consumed
	long     []byte // a line that does not fit into buf
	err      error  // what r ended with
}

func (s *source) window() []byte { return s.buf[s.pos:s.end] }

// fill reads more behind the window, which must not take up all of buf, or returns s.err.
func (s *source) fill() error {
	if s.err != nil {
		return s.err
	}
	if s.pos > 0 {
		s.end = copy(s.buf, s.window())
		s.pos = 0
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		s.err = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	s.err = io.ErrNoProgress
	return s.err
}

// line consumes a line and returns it without its newline. It stays valid until the next call of
// line or fill. The last line needs no newline; io.EOF comes after it.
func (s *source) line(limit int) ([]byte, error) {
	s.long = recycle(s.long)
	for scanned := 0; ; {
		w := s.window()
		if i := bytes.IndexByte(w[scanned:], '\n'); i >= 0 {
			s.pos += scanned + i + 1
			return s.whole(w[:scanned+i]), nil
		}
		if len(s.long)+len(w) > limit {
			return nil, fmt.Errorf("longer than %d bytes", limit)
		}
		scanned = len(w)
		if len(w) > 0 && len(w) == len(s.buf) && s.err == nil {
			s.long = append(s.long, w...)
			s.pos, s.end, scanned = 0, 0, 0
		}
		if err := s.fill(); err == io.EOF && len(s.long)+len(s.window()) > 0 {
			w = s.window()
			s.pos = s.end
			return s.whole(w), nil
		} else if err != nil {
			return nil, err
		}
	}
}

// whole returns the line that ends with tail.
func (s *source) whole(tail []byte) []byte {
	if len(s.long) == 0 {
		return tail
	}
	s.long = append(s.long, tail...)
	return s.long
}

// recycle empties b for the next use, or drops it.
func recycle(b []byte) []byte {
	if cap(b) > keepSize {
		return nil
	}
	return b[:0]
}
