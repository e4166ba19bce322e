package stream

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// The tail of a stream is found from its end, and says in which frame each byte is; who reads the
// stream passes over it.
func TestTail(t *testing.T) {
	for _, size := range []int{0, 1, 100, 300 << 10, 5 << 20} {
		raw := make([]byte, size)
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range raw {
			raw[i] = byte(rng.IntN(16))
		}
		type place struct{ at, begins, first int64 }
		var places []place
		text := bytes.Repeat([]byte("what is said of it\n"), size/1000)
		var b bytes.Buffer
		options := CompressOptions{Tail: func(frame func(int64) (int64, int64)) []byte {
			for at := int64(0); at < int64(size); at += 1 + int64(size)/50 {
				begins, first := frame(at)
				places = append(places, place{at, begins, first})
			}
			return text
		}}
		if _, err := Compress(t.Context(), &b, options, func(_ context.Context, w io.Writer) error {
			_, err := w.Write(raw)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		packed := b.Bytes()
		got, err := ReadTail(bytes.NewReader(packed), int64(len(packed)))
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes: tail %q, %v; want %q", size, got, err, text)
		}
		r, err := Decompress(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		if whole, err := io.ReadAll(r); err != nil || !bytes.Equal(whole, raw) {
			t.Errorf("%d bytes: decompressed to %d: %v", size, len(whole), err)
		}
		r.Close()
		for _, p := range places {
			z, err := zstd.NewReader(bytes.NewReader(packed[p.begins:]))
			if err != nil {
				t.Fatal(err)
			}
			part := make([]byte, min(1000, int64(size)-p.first))
			if _, err := io.ReadFull(z, part); err != nil || !bytes.Equal(part, raw[p.first:][:len(part)]) || p.first > p.at || p.at-p.first >= maxFrame {
				t.Errorf("%d bytes: byte %d is said to be in the frame at %d, of which the first is %d: %v", size, p.at, p.begins, p.first, err)
			}
			z.Close()
		}
		for n := range min(len(packed), 400) {
			cut := packed[:len(packed)-1-n]
			if _, err := ReadTail(bytes.NewReader(cut), int64(len(cut))); !errors.Is(err, ErrTruncated) {
				t.Errorf("without its last %d bytes: %v", n+1, err)
			}
		}
	}
}

// A stream that has no tail says so.
func TestNoTail(t *testing.T) {
	for _, raw := range []string{"", "text", "a longer text, so that there is something that could be a tail"} {
		var b bytes.Buffer
		if _, err := Compress(t.Context(), &b, CompressOptions{}, func(_ context.Context, w io.Writer) error {
			_, err := io.WriteString(w, raw)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if text, err := ReadTail(bytes.NewReader(b.Bytes()), int64(b.Len())); !errors.Is(err, ErrNoTail) {
			t.Errorf("tail %q, %v", text, err)
		}
	}
}

// A length that a stream states is not believed: what would take all memory is no tail.
func TestForgedTail(t *testing.T) {
	const size = 8 << 30
	end := endMark(0)
	forged := binary.LittleEndian.AppendUint32(nil, 3<<30)
	_, err := ReadTail(readerAt(func(p []byte, at int64) (int, error) {
		if len(p) > 1<<20 {
			t.Fatalf("%d bytes are read", len(p))
		}
		clear(p)
		if at == size-int64(len(p)) {
			copy(p, append(forged, end...))
		} else {
			copy(p, mark(tailMagic, nil)[:4])
			binary.LittleEndian.PutUint32(p[4:], 3<<30+tailFoot)
		}
		return len(p), nil
	}), size)
	if !errors.Is(err, ErrNoTail) {
		t.Error(err)
	}
}

type readerAt func(p []byte, at int64) (int, error)

func (f readerAt) ReadAt(p []byte, at int64) (int, error) { return f(p, at) }
