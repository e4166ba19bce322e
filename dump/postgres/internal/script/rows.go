package script

import (
	"bytes"
	"io"
	"iter"
)

// Pieces returns the rows that are left as they come, cut anywhere. A piece is the CopyData's and
// is overwritten by the next.
func (d *CopyData) Pieces() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			piece, err := d.peek()
			if err != nil {
				if err != io.EOF {
					yield(nil, err)
				}
				return
			}
			more := yield(piece, nil)
			d.consume(len(piece))
			if !more {
				return
			}
		}
	}
}

// splitLines parts rows at their ends.
func splitLines(block []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for line := range bytes.Lines(block) {
			if !yield(bytes.TrimSuffix(line, []byte("\n"))) {
				return
			}
		}
	}
}

// Blocks returns the rows that are left as blocks of whole lines. A block is the CopyData's and is
// overwritten by the next.
func (d *CopyData) Blocks() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var begun []byte // of a line that did not come whole
		for {
			piece, err := d.peek()
			if err == io.EOF {
				if len(begun) > 0 {
					yield(begun, nil)
				}
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			whole := piece
			if len(begun) > 0 {
				end := bytes.IndexByte(piece, '\n') + 1
				if end == 0 {
					end = len(piece)
				}
				begun = append(begun, piece[:end]...)
				if whole = piece[end:]; begun[len(begun)-1] == '\n' {
					if !yield(begun, nil) {
						return
					}
					begun = begun[:0]
				}
			}
			if end := bytes.LastIndexByte(whole, '\n') + 1; end > 0 {
				if !yield(whole[:end], nil) {
					return
				}
				whole = whole[end:]
			}
			if len(begun)+len(whole) > d.r.limit {
				yield(nil, d.r.errorf("a row of the COPY on line %d is longer than %d bytes", d.begin, d.r.limit))
				return
			}
			begun = append(begun, whole...)
			d.consume(len(piece))
		}
	}
}
