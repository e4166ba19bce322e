package dump

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func sample(t *testing.T, body string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, "postgres")
	io.WriteString(w, body)
	if err := w.End(Manifest{{Name: "public.t", Rows: 3, Hash: 7}}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readAll(r io.Reader) ([]byte, error) {
	vouched, engine, err := NewReader(r)
	if err != nil {
		return nil, err
	}
	if engine != "postgres" {
		return nil, errors.New("engine " + engine)
	}
	return io.ReadAll(vouched)
}

func TestReaderPassesAWholeDump(t *testing.T) {
	for _, body := range []string{"", "SELECT 1;\n", strings.Repeat("0123456789\n", 100_000), trailerPrefix + "not the last\n"} {
		stream := sample(t, body)
		for name, r := range map[string]io.Reader{
			"whole":      bytes.NewReader(stream),
			"byte-wise":  iotest.OneByteReader(bytes.NewReader(stream)),
			"data + EOF": iotest.DataErrReader(bytes.NewReader(stream)),
		} {
			got, err := readAll(r)
			if err != nil || !bytes.Equal(got, stream) {
				t.Errorf("body of %d bytes, %s: %d bytes, %v; want %d, nil", len(body), name, len(got), err, len(stream))
			}
		}
	}
}

// Every shorter stream, and every stream with one byte changed, is refused; the shorter one for
// what it is.
func TestReaderRefusesWhatIsNotWhole(t *testing.T) {
	stream := sample(t, "SELECT 1;\nSELECT 'a long enough statement to have something before the last bytes that are kept back, and a bit more';\n")
	head := bytes.IndexByte(stream, '\n') + 1
	for n := range stream {
		want := ErrTruncated
		if n < head {
			want = ErrNotADump
		}
		if _, err := readAll(bytes.NewReader(stream[:n])); !errors.Is(err, want) {
			t.Fatalf("first %d of %d bytes: %v, want %v", n, len(stream), err, want)
		}
	}
	for i := range stream {
		damaged := bytes.Clone(stream)
		damaged[i] ^= 1
		if _, err := readAll(bytes.NewReader(damaged)); err == nil {
			t.Fatalf("byte %d of %d changed (%q): no error", i, len(stream), stream[i])
		}
	}
	if _, err := readAll(bytes.NewReader(append(bytes.Clone(stream), '\n'))); err == nil {
		t.Error("a line more at the end: no error")
	}
}

func TestReaderKeepsTheError(t *testing.T) {
	broken := errors.New("connection lost")
	stream := sample(t, "SELECT 1;\n")
	_, err := readAll(io.MultiReader(bytes.NewReader(stream), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("error after the last byte: %v, want %v", err, broken)
	}
}

func TestWriterKeepsTheError(t *testing.T) {
	w := NewWriter(brokenWriter{}, "postgres")
	io.WriteString(w, strings.Repeat("x", 1<<20))
	if err := w.End(nil); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("End: %v, want %v", err, io.ErrClosedPipe)
	}
	once := &brokenOnce{}
	w = NewWriter(once, "postgres")
	for range 3 {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
	}
	if err := w.End(nil); !errors.Is(err, io.ErrClosedPipe) || once.n > 1 {
		t.Errorf("End after long writes: %v, want %v; %d writes", err, io.ErrClosedPipe, once.n)
	}
}

// brokenOnce fails the first time only.
type brokenOnce struct{ n int }

func (b *brokenOnce) Write(p []byte) (int, error) {
	if b.n++; b.n == 1 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestTrailerFitsIntoWhatIsKeptBack(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b, "postgres")
	m := make(Manifest, 3)
	for i := range m {
		m[i].Rows = 1 << 61
	}
	w.End(m)
	lines := bytes.Split(bytes.TrimSpace(b.Bytes()), []byte("\n"))
	if n := len(lines[len(lines)-1]) + 1 + len("999999999999"); n > trailerMax {
		t.Errorf("a trailer of %d bytes is possible, trailerMax is %d", n, trailerMax)
	}
}

func BenchmarkWriter(b *testing.B) {
	p := bytes.Repeat([]byte("12345\tsome text of a row\t2024-01-01 00:00:00\n"), 1000)
	b.SetBytes(int64(len(p)))
	w := NewWriter(io.Discard, "postgres")
	for b.Loop() {
		w.Write(p)
	}
}

// A dump that ends within its first line is no other kind of dump.
func TestCutWithinTheHead(t *testing.T) {
	for n := range len(headPrefix) + 5 {
		if _, err := readAll(strings.NewReader((headPrefix + "postgres")[:n])); !errors.Is(err, ErrNotADump) || strings.Contains(err.Error(), "another kind") {
			t.Errorf("first %d bytes: %v", n, err)
		}
	}
}
