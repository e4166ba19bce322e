package script

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// CopyData reads the rows of one COPY … FROM stdin, as they stand in the script, up to the line \.
// that ends them, which it consumes and does not return. A script that ends before that line gives
// io.ErrUnexpectedEOF, wrapped: io.EOF means that the rows are whole.
//
// As psql up to version 17 does, it takes a line \. for the end in CSV too.
type CopyData struct {
	r     *Reader
	begin int   // the line of the COPY
	lines int64 // that were read
	bol   bool  // the next byte begins a line
	safe  int   // bytes at the head of the source's window that are rows
	err   error
}

// Rows returns the number of lines read so far. In text format, and in CSV without a header and
// without newlines in values, they are rows.
func (d *CopyData) Rows() int64 { return d.lines }

// Read implements io.Reader.
func (d *CopyData) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	piece, err := d.peek()
	n := copy(p, piece)
	d.consume(n)
	return n, err
}

// WriteTo implements io.WriterTo; it copies nothing on the way to w.
func (d *CopyData) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		piece, err := d.peek()
		if err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
		n, err := w.Write(piece)
		d.consume(n)
		total += int64(n)
		if err != nil {
			return total, err
		}
		if n < len(piece) {
			return total, io.ErrShortWrite
		}
	}
}

// close skips the rows that are left and ends the use of d.
func (d *CopyData) close() error {
	_, err := d.WriteTo(io.Discard)
	d.err = errors.New("rows of a COPY read after Next")
	return err
}

// peek returns the next rows, not necessarily whole ones, without consuming them.
func (d *CopyData) peek() ([]byte, error) {
	s := &d.r.src
	for d.err == nil && d.safe == 0 {
		w := s.window()
		short, skip := len(w) == 0, 0
		if d.bol && !short && w[0] == '\\' {
			n, more := marker(w, s.err == io.EOF)
			if n > 0 {
				s.pos += n
				d.r.number += int(d.lines) + 1
				d.err = io.EOF
				break
			}
			if short = more; !more {
				skip = 1
			}
		}
		if !short {
			d.safe = skip + beforeMarker(w[skip:])
		} else if err := s.fill(); err != nil && (err != io.EOF || len(w) == 0) {
			d.err = d.fail(err)
		}
	}
	return s.window()[:d.safe], d.err
}

// beforeMarker returns how much of w comes before anything
// that can turn out to be the marker once it stands at the head of the window.
// It looks for the backslash, for that is rarer than the newline before it.
func beforeMarker(w []byte) int {
	for i := 0; ; i += 2 {
		n := bytes.Index(w[i:], []byte(`\.`))
		if n < 0 {
			break
		}
		if i += n; i > 0 && w[i-1] == '\n' {
			return i
		}
	}
	if bytes.HasSuffix(w, []byte("\n\\")) {
		return len(w) - 1
	}
	return len(w)
}

// marker returns the length of the marker \. that w begins with, 0 if there is none; more says that
// only further input can tell.
func marker(w []byte, eof bool) (n int, more bool) {
	for _, m := range [...]string{"\\.\n", "\\.\r\n"} {
		if bytes.HasPrefix(w, []byte(m)) {
			return len(m), false
		}
		if len(w) < len(m) && string(w) == m[:len(w)] {
			if eof && len(w) >= len(`\.`) { // the script's last line
				return len(w), false
			}
			more = !eof
		}
	}
	return 0, more
}

func (d *CopyData) consume(n int) {
	if n == 0 {
		return
	}
	s := &d.r.src
	piece := s.window()[:n]
	d.lines += int64(bytes.Count(piece, []byte{'\n'}))
	d.bol = piece[n-1] == '\n'
	d.safe -= n
	s.pos += n
}

// fail makes a read error, the end of the script too, the error of the COPY.
func (d *CopyData) fail(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("line %d: rows of the COPY: after %d lines: %w", d.begin, d.lines, err)
}
