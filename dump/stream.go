package dump

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// A Writer writes a SQL dump: it buffers, begins with the head line, and hashes every byte for the
// trailer. The zero value is not usable.
type Writer struct {
	buf   *bufio.Writer
	out   *hashingWriter // behind buf
	n     int64          // bytes written so far
	parts Parts
}

// NewWriter returns a Writer that has written the head of a dump of engine to w. Errors of w appear
// on a later Write or on End.
func NewWriter(w io.Writer, engine string) *Writer {
	d := newWriter(w)
	d.WriteString(headPrefix + engine + "\n") // a bufio.Writer keeps its error
	return d
}

// newWriter returns a Writer that has written nothing yet.
func newWriter(w io.Writer) *Writer {
	d := &Writer{out: &hashingWriter{w: w, hash: xxhash.New()}}
	d.buf = bufio.NewWriterSize(d.out, 256<<10)
	return d
}

// Begin says what part of the dump all that follows belongs to, up to the next Begin or to the
// manifest. The head belongs to the first. A dump without any has no parts in its manifest.
func (d *Writer) Begin(kind Kind, name string) { d.parts.Begin(kind, name, d.n) }

// Write appends p to the dump. A long p is not copied.
func (d *Writer) Write(p []byte) (int, error) {
	d.n += int64(len(p))
	if len(p) < 64<<10 {
		return d.buf.Write(p)
	}
	if err := d.buf.Flush(); err != nil {
		return 0, err
	}
	return d.out.Write(p)
}

// hashingWriter hashes what passes, and keeps its first error.
type hashingWriter struct {
	w    io.Writer
	hash *xxhash.Digest
	err  error
}

func (h *hashingWriter) Write(p []byte) (int, error) {
	if h.err != nil {
		return 0, h.err
	}
	h.hash.Write(p)
	n, err := h.w.Write(p)
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	h.err = err
	return n, err
}

// WriteString appends s to the dump.
func (d *Writer) WriteString(s string) (int, error) {
	d.n += int64(len(s))
	return d.buf.WriteString(s)
}

// End writes the manifest and the trailer and flushes. Nothing may be written after it, and without
// it what was written is no dump.
func (d *Writer) End(m Manifest) error {
	if parts := d.parts.End(d.n); len(parts) > 0 {
		d.buf.WriteString(manifestHead)
		d.buf.Write(parts.append(nil))
	}
	if _, err := m.WriteTo(d.buf); err != nil {
		return err
	}
	fmt.Fprintf(d.buf, "%s%d tables %d rows stream ", trailerPrefix, len(m), m.Rows())
	if err := d.buf.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(d.buf, "%016x\n", d.out.hash.Sum64())
	return d.buf.Flush()
}

// A Reader reads a SQL dump and vouches for it: it returns io.EOF only after it has seen the
// trailer and found that the bytes before it are those the trailer was made of. A stream that ends
// otherwise gives ErrTruncated or ErrDamaged in place of io.EOF. The bytes pass as they are, head
// and trailer included.
type Reader struct {
	r    io.Reader
	hash *xxhash.Digest
	tail []byte // read, returned to the caller, not yet hashed: the trailer may be in it
	err  error
}

// NewReader checks r's head line and returns a Reader for the whole of r, together with the engine
// that the head names.
func NewReader(r io.Reader) (*Reader, string, error) {
	head := make([]byte, 0, 64)
	for len(head) < cap(head) && !bytes.HasSuffix(head, []byte("\n")) {
		n, err := io.ReadFull(r, head[len(head):len(head)+1])
		head = head[:len(head)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, "", err
		}
	}
	engine, ok := strings.CutPrefix(string(head), headPrefix)
	engine, nl := strings.CutSuffix(engine, "\n")
	if !ok || !nl {
		return nil, "", notADump(head)
	}
	return &Reader{r: io.MultiReader(bytes.NewReader(head), r), hash: xxhash.New()}, engine, nil
}

// notADump says what a stream that begins with head is instead, where that is known.
func notADump(head []byte) error {
	what, do := Sniff(head)
	switch {
	case bytes.HasPrefix(head, []byte(headPrefix)): // and its end is missing
	case bytes.HasPrefix(head, []byte("--\n")):
		return fmt.Errorf("%w: is it a script of pg_dump? Use psql", ErrNotADump)
	case do != "":
		return fmt.Errorf("%w: %s: %s", ErrNotADump, what, do)
	case what != "":
		return fmt.Errorf("%w: %s", ErrNotADump, what)
	}
	return ErrNotADump
}

// Read implements io.Reader.
func (d *Reader) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.r.Read(p)
	d.keep(p[:n])
	if err == io.EOF {
		err = d.verify()
	}
	d.err = err
	return n, err
}

// keep hashes all but the last trailerMax bytes read so far.
func (d *Reader) keep(p []byte) {
	if len(p) >= trailerMax {
		d.hash.Write(d.tail)
		d.hash.Write(p[:len(p)-trailerMax])
		d.tail = append(d.tail[:0], p[len(p)-trailerMax:]...)
		return
	}
	d.tail = append(d.tail, p...)
	if over := len(d.tail) - trailerMax; over > 0 {
		d.hash.Write(d.tail[:over])
		d.tail = append(d.tail[:0], d.tail[over:]...)
	}
}

// verify is called at the stream's end and says what that end is worth.
func (d *Reader) verify() error {
	line := d.tail
	if i := bytes.LastIndexByte(bytes.TrimSuffix(line, []byte("\n")), '\n'); i >= 0 {
		line = line[i+1:]
	}
	if !bytes.HasPrefix(line, []byte(trailerPrefix)) || line[len(line)-1] != '\n' {
		return ErrTruncated
	}
	const sum = len("0123456789abcdef\n")
	d.hash.Write(d.tail[:len(d.tail)-sum])
	if string(d.tail[len(d.tail)-sum:]) != fmt.Sprintf("%016x\n", d.hash.Sum64()) {
		return ErrDamaged
	}
	return io.EOF
}

// Verify reads a SQL dump to its end and returns nil for a whole one.
func Verify(r io.Reader) error {
	vouched, _, err := NewReader(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, vouched)
	return err
}
